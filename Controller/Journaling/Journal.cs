using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Journaling;

/// <summary>
/// The content of the state file: intents and irrevocable decisions. What is (containers, images, traffic) is never in it but observed,
/// and neither is a current step: the phase of a release is a function of this and of the observation. That deployments have the phases that were is for people only.
/// </summary>
internal sealed record Journal
{
    public const int CurrentSchema = 1;

    public int Schema { get; init => field = value == 0 ? CurrentSchema : value; } = CurrentSchema;

    /// <summary>Set until the containers that are there already have been taken over: in a new or rebuilt state file.</summary>
    public bool NeedsAdoption { get; init; }

    /// <summary>The newest valid <c>current.json</c>.</summary>
    public Decision? Desired { get; init; }

    /// <summary>What <c>/switch</c> decided, until <c>current.json</c> changes.</summary>
    public Decision? Pin { get; init; }

    /// <summary>The release that has the traffic, or had it last.</summary>
    public ActiveRelease? Active { get; init; }

    /// <summary>Releases on their way to standby or to traffic, oldest first.</summary>
    public ValueList<Candidate> Candidates { get; init; } = [];

    /// <summary>Written before traffic is moved, cleared once it has moved or can't move any more.</summary>
    public SwitchIntent? Switch { get; init; }

    /// <summary>Replaced releases that finish their requests or are kept warm, oldest first.</summary>
    public ValueList<DrainingRelease> Drains { get; init; } = [];

    /// <summary>Runs of containers whose stop was begun. They may end at any time, so no traffic goes to them, also where the stop's answer was never heard.</summary>
    public ValueList<StoppingRun> Stopping { get; init; } = [];

    /// <summary>The stopped release that is kept for a rollback.</summary>
    public ContainerRef? Retained { get; init; }

    /// <summary>Failed attempts of releases on their way.</summary>
    public ValueList<Attempts> Attempts { get; init; } = [];

    /// <summary>Releases that failed and aren't tried again until somebody decides anew.</summary>
    public ValueList<RejectedRelease> Quarantine { get; init; } = [];

    /// <summary>Crashes of the active release.</summary>
    public CrashLoop? Crashes { get; init; }

    /// <summary>Images that the Controller brought here, oldest first; only these does it ever remove.</summary>
    public ValueList<OwnedImage> Images { get; init; } = [];

    /// <summary>Hashes that were active, newest first, the last three of which keep their image.</summary>
    public ValueList<string> History { get; init; } = [];

    /// <summary>What was asked for and how it ended, newest first, at most 20.</summary>
    public ValueList<Deployment> Deployments { get; init; } = [];

    /// <summary>Whether maintenance is up.</summary>
    public bool Maintenance { get; init; }

    /// <summary>Whether traffic is paused.</summary>
    public bool IsPaused { get; init; }

    /// <summary>The share of clients that a release gets while it stands by; absent: there is none.</summary>
    public RunningCanary? Canary { get; init; }

    /// <summary>What the cookies of such clients are signed with, once it was needed.</summary>
    public SigningKey? CanaryKey { get; init; }

    /// <summary>The newest fence that was given out.</summary>
    public long Fence { get; init; }

    /// <summary>The newest generation of the Proxy's snapshot that was given out.</summary>
    public long SnapshotGeneration { get; init; }

    /// <summary>The newest incarnation that was given to a container.</summary>
    public int Incarnation { get; init; }
}

/// <summary>A container by its deterministic name.</summary>
/// <param name="Hash">SHA-256 of the launch configuration that it runs.</param>
/// <param name="Incarnation">Tells apart the containers of one release, from 1.</param>
/// <param name="Name">Its name, made of application, hash and incarnation.</param>
internal sealed record ContainerRef(string Hash, int Incarnation, string Name);

/// <summary>A decision which release is to serve.</summary>
/// <param name="Hash">SHA-256 of its launch configuration.</param>
/// <param name="ETag">ETag of <c>current.json</c> when it was decided; absent: there was none.</param>
/// <param name="At">When it was decided.</param>
/// <param name="Force">Replaces the container even where the release serves already.</param>
/// <param name="GivenUp">It couldn't be carried out before its deadline.</param>
internal sealed record Decision(string Hash, string? ETag, DateTimeOffset At, bool Force = false, bool GivenUp = false);

/// <summary>The release that has the traffic.</summary>
/// <param name="Ref">Its container.</param>
/// <param name="Since">When traffic was moved to it.</param>
/// <param name="VerifiedId">Id of the container that was seen ready.</param>
/// <param name="VerifiedStart">Start of the run that was seen ready: after a restart of the Controller the same run is trusted until its first probe.</param>
internal sealed record ActiveRelease(ContainerRef Ref, DateTimeOffset Since, string? VerifiedId, DateTimeOffset? VerifiedStart);

/// <summary>A release on its way.</summary>
/// <param name="Ref">Its container, existing or to be created.</param>
/// <param name="Goal">Standby or traffic.</param>
/// <param name="Since">When it was decided; what the container did before doesn't count against it.</param>
internal sealed record Candidate(ContainerRef Ref, CandidateGoal Goal, DateTimeOffset Since);

internal enum CandidateGoal
{
    /// <summary>Healthy, without traffic.</summary>
    Standby,

    /// <summary>Healthy, then traffic.</summary>
    Active,
}

/// <summary>Traffic is about to move.</summary>
/// <param name="From">The release that has it; absent: none.</param>
/// <param name="To">The release that gets it.</param>
/// <param name="Fence">The fence that the move is sent with.</param>
/// <param name="AbortFence">Set once the move is given up: the Proxy must acknowledge this fence first, so that a delayed move can't come true.</param>
/// <param name="At">When it was decided.</param>
internal sealed record SwitchIntent(ContainerRef? From, ContainerRef To, long Fence, long? AbortFence, DateTimeOffset At);

/// <summary>A replaced release.</summary>
/// <param name="Ref">Its container.</param>
/// <param name="Since">When it was replaced.</param>
/// <param name="WarmUntil">Until when traffic may return to it.</param>
/// <param name="Deadline">From then on it is stopped whatever it still does.</param>
/// <param name="Former">How its requests went before it was replaced, to judge its successor by; absent: not known.</param>
internal sealed record DrainingRelease(ContainerRef Ref, DateTimeOffset Since, DateTimeOffset WarmUntil, DateTimeOffset Deadline, TrafficSample? Former = null);

/// <summary>One run of a container that is being stopped.</summary>
internal sealed record StoppingRun(string ContainerId, DateTimeOffset? StartedAt);

/// <summary>Failed attempts of one release.</summary>
/// <param name="Hash">The release.</param>
/// <param name="Count">How many.</param>
/// <param name="LastExit">When the container ended that was counted last.</param>
/// <param name="BackoffUntil">No further attempt before.</param>
internal sealed record Attempts(string Hash, int Count, DateTimeOffset? LastExit, DateTimeOffset BackoffUntil);

/// <summary>A release that failed.</summary>
internal sealed record RejectedRelease(string Hash, FailureEvidence Evidence);

/// <summary>Crashes of the active release.</summary>
/// <param name="Count">In a row; ten good minutes reset it.</param>
/// <param name="LastExit">When the run ended that was counted last.</param>
/// <param name="BackoffUntil">It is not started again before.</param>
internal sealed record CrashLoop(int Count, DateTimeOffset LastExit, DateTimeOffset BackoffUntil);

/// <summary>The share of clients that a release gets while it stands by.</summary>
/// <param name="Hash">The release.</param>
/// <param name="Percent">1 to 100.</param>
internal sealed record RunningCanary(string Hash, int Percent);

/// <summary>A secret key.</summary>
/// <param name="Base64">Its bytes.</param>
internal sealed record SigningKey(string Base64)
{
    /// <summary>Prints no key.</summary>
    public override string ToString() => nameof(SigningKey);
}

/// <summary>An image that the Controller pulled or loaded.</summary>
/// <param name="Hash">The release that it was brought for.</param>
/// <param name="Reference">Its reference.</param>
internal sealed record OwnedImage(string Hash, string Reference);

/// <summary>One launch, switch or change of <c>current.json</c>.</summary>
internal sealed record Deployment
{
    public required string Id { get; init; }

    public required DeploymentKind Kind { get; init; }

    public required string Hash { get; init; }

    public required DateTimeOffset AcceptedAt { get; init; }

    public required DateTimeOffset Deadline { get; init; }

    public DeploymentEnd? End { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? Message { get; init; }

    public FailureEvidence? Failure { get; init; }

    /// <summary>Name of the release for people; nothing is decided by it, nor by the phases. Absent: it isn't known yet.</summary>
    public string? Revision { get; init; }

    /// <summary>When the release entered which phase, as far as it was known at the latest write.</summary>
    public ValueList<PhaseEntry> Phases { get; init; } = [];
}
