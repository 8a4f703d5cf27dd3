using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Contracts.Admin;

/// <summary>The whole truth about one application on this host: answer of <c>GET /status</c>.</summary>
/// <remarks>The first six members are those of the Go tool, under its names. Values of environment variables are never part of it.</remarks>
public sealed record StatusDocument
{
    /// <summary>Requests that ended since the Proxy started.</summary>
    public required long Requests { get; init; }

    /// <summary>Sum of their durations, in seconds.</summary>
    public required double TotalTime { get; init; }

    /// <summary>Client connections by state.</summary>
    public required IReadOnlyDictionary<string, long> States { get; init; }

    /// <summary>Bytes of the Controller's managed heap.</summary>
    public required long HeapSize { get; init; }

    /// <summary>Whether maintenance is up.</summary>
    public required bool MaintenanceMode { get; init; }

    /// <summary>Whether traffic is paused: requests wait.</summary>
    public bool Paused { get; init; }

    /// <summary>The share of clients that a release gets while it stands by; absent: there is no canary.</summary>
    public CanaryStatus? Canary { get; init; }

    /// <summary><c>Ok</c>, or why the engine isn't reached.</summary>
    public required string DockerState { get; init; }

    /// <summary>Name of the application.</summary>
    public required string Application { get; init; }

    /// <summary>Which Controller this is; its containers carry it as a label.</summary>
    public required string Installation { get; init; }

    /// <summary>Version of the Controller.</summary>
    public required string Version { get; init; }

    /// <summary>When this was true.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The release that every host should run, from <c>current.json</c>; absent: none was read yet.</summary>
    public DesiredRelease? Desired { get; init; }

    /// <summary>What this host made of <c>current.json</c>; absent: it wasn't read yet.</summary>
    public CurrentStatus? Current { get; init; }

    /// <summary>The release that <c>/switch</c> pinned this host to, until <c>current.json</c> changes.</summary>
    public DesiredRelease? Pin { get; init; }

    /// <summary>Hash of the release that serves; absent: none.</summary>
    public string? Active { get; init; }

    /// <summary>What is well and what is not.</summary>
    public IReadOnlyList<Condition> Conditions { get; init => field = value ?? []; } = [];

    /// <summary>Every release that is here, the active one first.</summary>
    public IReadOnlyList<ReleaseStatus> Releases { get; init => field = value ?? []; } = [];

    /// <summary>The latest deployments, newest first, at most 20.</summary>
    public IReadOnlyList<DeploymentStatus> Deployments { get; init => field = value ?? []; } = [];

    /// <summary>The application's automatic certificates.</summary>
    public IReadOnlyList<AutomaticCertificate> AutomaticCertificates { get; init => field = value ?? []; } = [];

    /// <summary>What the reconciler does, and why.</summary>
    public required PlanStatus Plan { get; init; }

    /// <summary>The Proxy; absent: not reached.</summary>
    public ProxyStatus? Proxy { get; init; }
}

/// <summary>A decision which release is to serve.</summary>
/// <param name="Hash">Hash of its launch configuration.</param>
/// <param name="Revision">Its name for people.</param>
/// <param name="Since">When it was decided.</param>
/// <param name="GivenUp">It was withdrawn, or couldn't be carried out in time; it isn't tried again by itself.</param>
public sealed record DesiredRelease(string Hash, string Revision, DateTimeOffset Since, bool GivenUp = false);

/// <summary>The <c>current.json</c> that a host has read last.</summary>
/// <param name="ETag">Its ETag; absent: there is no such document.</param>
/// <param name="Problem">Why it can't be used here; absent: it can.</param>
public sealed record CurrentStatus(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? ETag, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Problem);

/// <summary>One observation about the application.</summary>
/// <param name="Type">Such as <c>Ready</c>, <c>DockerReachable</c>, <c>StoreReachable</c>.</param>
/// <param name="Status">Whether it holds; absent: not known.</param>
/// <param name="Reason">One word, CamelCase.</param>
/// <param name="Message">What is so, since what, and what to do.</param>
/// <param name="Since">When the status last changed.</param>
public sealed record Condition(string Type, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] bool? Status, string Reason, string Message, DateTimeOffset Since)
{
    /// <summary>Whether nothing is known because a document couldn't be read, or kept on the host.</summary>
    public bool SaysNotRead() => this is { Status: null, Reason: "NotRead" };
}

/// <summary>A certificate that is obtained from an ACME server, as all hosts of the application share it.</summary>
public sealed record AutomaticCertificate
{
    /// <summary>The host that it is for.</summary>
    public required string Host { get; init; }

    /// <summary>Until when it is valid; absent: none was issued yet.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>When it is renewed.</summary>
    public DateTimeOffset? RenewAt { get; init; }

    /// <summary>The order that is under way; absent: there is none.</summary>
    public string? Order { get; init; }

    /// <summary>Failed attempts since the last one that succeeded.</summary>
    public int Failures { get; init; }

    /// <summary>Why the last one failed.</summary>
    public string? LastError { get; init; }

    /// <summary>When it is tried again.</summary>
    public DateTimeOffset? NextTry { get; init; }

    /// <summary>Whether the Proxy of this host uses it.</summary>
    public bool IsInForce { get; init; }
}

/// <summary>One release on this host.</summary>
public sealed record ReleaseStatus
{
    /// <summary>Hash of its launch configuration.</summary>
    public required string Hash { get; init; }

    /// <summary>Its name for people.</summary>
    public required string Revision { get; init; }

    /// <summary>Where it is in its life; a function of facts, never stored.</summary>
    public required ReleasePhase Phase { get; init; }

    /// <summary>Since when it is active, standby, draining; absent where nothing tells.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Name of its container; absent: none.</summary>
    public string? Container { get; init; }

    /// <summary>Id of its container; absent: none.</summary>
    public string? ContainerId { get; init; }

    /// <summary>Address that receives its requests; absent while it doesn't run.</summary>
    public string? Address { get; init; }

    /// <summary>Latest answer to the health probe.</summary>
    public string? LastProbe { get; init; }

    /// <summary>Failed attempts so far.</summary>
    public int Attempts { get; init; }

    /// <summary>No further attempt before.</summary>
    public DateTimeOffset? BackoffUntil { get; init; }

    /// <summary>Until when the current phase may last.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>What was found when it failed.</summary>
    public FailureEvidence? Failure { get; init; }

    /// <summary>Its traffic since the Proxy started; absent: it had none.</summary>
    public TargetTraffic? Traffic { get; init; }
}

/// <summary>Where a release is in its life.</summary>
public enum ReleasePhase
{
    /// <summary>Wanted, nothing done yet.</summary>
    Accepted,

    /// <summary>Its image is being pulled or loaded.</summary>
    Pulling,

    /// <summary>Its container is being created.</summary>
    Creating,

    /// <summary>Its container is being started.</summary>
    Starting,

    /// <summary>Its container runs and is not healthy yet.</summary>
    Verifying,

    /// <summary>Healthy, without traffic.</summary>
    Standby,

    /// <summary>Traffic is being moved to it.</summary>
    Activating,

    /// <summary>Serves; the replaced release is still warm.</summary>
    Probation,

    /// <summary>Serves.</summary>
    Active,

    /// <summary>Should serve, but is down or unhealthy; it is being started again.</summary>
    Recovering,

    /// <summary>Replaced; finishes its requests, or is kept warm.</summary>
    Draining,

    /// <summary>Its container is being stopped.</summary>
    Stopping,

    /// <summary>Stopped and kept for a rollback.</summary>
    Retained,

    /// <summary>Nothing of it is left here.</summary>
    Removed,

    /// <summary>Waits before the next attempt.</summary>
    BackingOff,

    /// <summary>Failed; not tried again until somebody decides anew.</summary>
    Rejected,

    /// <summary>Given up because another release was wanted.</summary>
    Superseded,
}

/// <summary>Why a release failed, with what was seen.</summary>
public sealed record FailureEvidence
{
    /// <summary>The kind of failure.</summary>
    public required FailureClass Class { get; init; }

    /// <summary>What failed, on what, why, what still holds, what to do.</summary>
    public required string Message { get; init; }

    /// <summary>When it was found.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Exit code of the container, where it exited.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Latest answer to the health probe.</summary>
    public string? LastProbe { get; init; }

    /// <summary>The last lines that the container wrote, at most 20.</summary>
    public IReadOnlyList<string> Log { get; init => field = value ?? []; } = [];
}

/// <summary>The kinds of failure of a release.</summary>
public enum FailureClass
{
    /// <summary>The container exited before it was healthy, or while on probation.</summary>
    Exited,

    /// <summary>The kernel killed the container for using more memory than it may.</summary>
    OutOfMemory,

    /// <summary>The container was healthy and exited again and again.</summary>
    CrashLoop,

    /// <summary>Nothing listens on the release's port, while the container listens on another one.</summary>
    WrongPort,

    /// <summary>The health check was answered, but not as expected.</summary>
    UnhealthyStatus,

    /// <summary>The health check wasn't answered before the deadline.</summary>
    Timeout,

    /// <summary>The image exists neither here nor in the registry nor as an artifact.</summary>
    ImageMissing,

    /// <summary>The engine refused an option of the configuration.</summary>
    BadOption,

    /// <summary>A host port of the container is taken.</summary>
    PortTaken,

    /// <summary>A host name or path that the configuration claims belongs to another application of the Proxy.</summary>
    RouteTaken,

    /// <summary>More requests were answered with an error than may be, while it was on probation.</summary>
    ErrorRate,

    /// <summary>More requests took too long than may, while it was on probation.</summary>
    Latency,

    /// <summary>It didn't become active before its deadline for a reason that is not the release's: registry, engine or disk.</summary>
    DeadlineExceeded,
}

/// <summary>One launch, switch, rollback or change of <c>current.json</c>, and how it ended.</summary>
public sealed record DeploymentStatus
{
    /// <summary>Its id, for <c>GET /deployments/{id}</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What was asked for.</summary>
    public required DeploymentKind Kind { get; init; }

    /// <summary>Hash of the release.</summary>
    public required string Hash { get; init; }

    /// <summary>Name of the release for people.</summary>
    public required string Revision { get; init; }

    /// <summary>When it was accepted.</summary>
    public required DateTimeOffset AcceptedAt { get; init; }

    /// <summary>It ends by then.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>How it ended; absent: it runs.</summary>
    public DeploymentEnd? End { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The end, or what it waits for, in words.</summary>
    public string? Message { get; init; }

    /// <summary>Why it failed.</summary>
    public FailureEvidence? Failure { get; init; }

    /// <summary>When it entered each phase, in order.</summary>
    public IReadOnlyList<PhaseEntry> Phases { get; init => field = value ?? []; } = [];

    /// <summary>How far it is within its phase; absent: it has ended, and nothing runs on what it replaced.</summary>
    public DeploymentProgress? Progress { get; init; }

    /// <summary>Container of the release once it is there.</summary>
    public string? ContainerId { get; init; }

    /// <summary>Container port that receives requests.</summary>
    public int? Port { get; init; }
}

/// <summary>How far a deployment is within its phase. It is told anew twice a second at most.</summary>
public sealed record DeploymentProgress
{
    /// <summary>Bytes of the image's layers that were downloaded; absent: nothing is being downloaded.</summary>
    public long? PulledBytes { get; init; }

    /// <summary>Bytes of the layers whose size is known; grows until all are.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>How often the container was asked for its health until it was ready.</summary>
    public int Probes { get; init; }

    /// <summary>The latest answer to that, until it was ready.</summary>
    public string? LastProbe { get; init; }

    /// <summary>Requests and streams that still run on replaced releases.</summary>
    public long Draining { get; init; }
}

/// <summary>When a deployment entered a phase.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="At">When.</param>
public sealed record PhaseEntry(ReleasePhase Phase, DateTimeOffset At);

/// <summary>What was asked for.</summary>
public enum DeploymentKind
{
    /// <summary><c>current.json</c> changed.</summary>
    Deploy,

    /// <summary>Start and check without traffic.</summary>
    Launch,

    /// <summary>Move traffic on this host.</summary>
    Switch,
}

/// <summary>How a deployment ended.</summary>
public enum DeploymentEnd
{
    /// <summary>The release serves, or stands by after a launch.</summary>
    Succeeded,

    /// <summary>The release failed before it served; the former one serves on.</summary>
    Failed,

    /// <summary>The release served, failed in probation, and traffic went back.</summary>
    RolledBack,

    /// <summary>A newer decision took its place.</summary>
    Superseded,

    /// <summary>It was withdrawn.</summary>
    Cancelled,
}

/// <summary>What the reconciler does, and why.</summary>
/// <param name="Row">The row of the plan that was chosen.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="LookAgainAt">When it looks again at the latest; absent: when something happens.</param>
/// <param name="Working">What is under way, such as <c>Pull localhost:8080/shop:2f1c9e0</c>.</param>
public sealed record PlanStatus(string Row, string Reason, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] DateTimeOffset? LookAgainAt, IReadOnlyList<string> Working);
