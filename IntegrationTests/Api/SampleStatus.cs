using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>A host on which everything happens at once that a status can tell of.</summary>
internal static class SampleStatus
{
    public static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);

    public static readonly string Old = new('a', 64);

    public static readonly string Serving = new('b', 64);

    public static readonly string Next = new('c', 64);

    public static readonly string Broken = new('d', 64);

    public static StatusDocument Eventful { get; } = new()
    {
        Requests = 48_211,
        TotalTime = 301.4,
        States = new Dictionary<string, long> { ["new"] = 1, ["active"] = 6, ["idle"] = 23, ["upgraded"] = 4 },
        HeapSize = 9_500_000,
        MaintenanceMode = false,
        DockerState = "Ok",
        Application = "shop",
        Installation = "i1",
        Version = "0.1.0",
        At = Now,
        Desired = new DesiredRelease(Next, "43", Now.AddSeconds(-21)),
        Current = new CurrentStatus("etag", null),
        Active = Serving,
        Conditions =
        [
            new Condition("Ready", false, "Progressing", "43 isn't healthy yet.", Now.AddSeconds(-21)),
            new Condition("Available", true, "Serving", "A healthy release gets the requests.", Now.AddHours(-3)),
            new Condition("DockerReachable", true, "Connected", "The engine answers.", Now.AddHours(-3)),
            new Condition("LiveRestore", false, "Off", "A restart of the Docker Engine stops every container. Set \"live-restore\": true in the engine's daemon.json.", Now.AddHours(-3)),
            new Condition("StoreReachable", null, "NotReadYet", "The store has not been read yet.", Now.AddHours(-3)),
        ],
        Releases =
        [
            new ReleaseStatus
            {
                Hash = Serving, Revision = "42", Phase = ReleasePhase.Active, Since = Now.AddHours(-3), Container = "shop-bbbbbbbbbbbb-7", ContainerId = new('7', 64), Address = "172.30.0.7:9292",
                LastProbe = "200 OK", Traffic = new TargetTraffic { Target = TargetOf(Serving, "42"), InFlight = 6, Streams = 4, Traffic = TrafficOf(41_000) },
            },
            new ReleaseStatus { Hash = Next, Revision = "43", Phase = ReleasePhase.Verifying, Since = Now.AddSeconds(-9), Container = "shop-cccccccccccc-8", ContainerId = new('8', 64), Address = "172.30.0.8:9292", LastProbe = "503 Service Unavailable", Deadline = Now.AddSeconds(111) },
            new ReleaseStatus
            {
                Hash = Old, Revision = "41", Phase = ReleasePhase.Draining, Since = Now.AddMinutes(-2), Container = "shop-aaaaaaaaaaaa-6", ContainerId = new('6', 64), Address = "172.30.0.6:9292", Deadline = Now.AddSeconds(75),
                Traffic = new TargetTraffic
                {
                    Target = TargetOf(Old, "41"), DrainingSince = Now.AddMinutes(-2), Deadline = Now.AddSeconds(75), InFlight = 1, Streams = 3, Traffic = TrafficOf(7_211),
                    Drain = new TargetDrain
                    {
                        PlainDeadline = Now.AddSeconds(15),
                        StreamDeadline = Now.AddSeconds(75),
                        ByKind = new Dictionary<RequestKind, long> { [RequestKind.WebSocket] = 2, [RequestKind.Stream] = 1, [RequestKind.Plain] = 1 },
                        Oldest =
                        [
                            new DrainingRequest { Kind = RequestKind.WebSocket, AgeSeconds = 4_211.4, Path = "/cable", Deadline = Now.AddSeconds(75) },
                            new DrainingRequest { Kind = RequestKind.WebSocket, AgeSeconds = 911.2, Path = "/cable", Deadline = Now.AddSeconds(75) },
                            new DrainingRequest { Kind = RequestKind.Stream, AgeSeconds = 340, Path = "/orders/events", Deadline = Now.AddSeconds(75) },
                            new DrainingRequest { Kind = RequestKind.Plain, AgeSeconds = 128.3, Path = "/reports/2026/november.pdf", Deadline = Now.AddSeconds(15) },
                        ],
                    },
                },
            },
            new ReleaseStatus { Hash = Broken, Revision = "42-rc1", Phase = ReleasePhase.Rejected, Attempts = 1, Failure = Failure },
        ],
        Deployments =
        [
            new DeploymentStatus
            {
                Id = "d4", Kind = DeploymentKind.Deploy, Hash = Next, Revision = "43", AcceptedAt = Now.AddSeconds(-21), Deadline = Now.AddMinutes(10), Message = "43 isn't healthy yet",
                Phases = [At(ReleasePhase.Accepted, -21), At(ReleasePhase.Pulling, -20.8), At(ReleasePhase.Creating, -9.9), At(ReleasePhase.Starting, -9.4), At(ReleasePhase.Verifying, -9)],
            },
            new DeploymentStatus
            {
                Id = "d3", Kind = DeploymentKind.Deploy, Hash = Serving, Revision = "42", AcceptedAt = Now.AddHours(-3), Deadline = Now.AddHours(-2), End = DeploymentEnd.Succeeded, EndedAt = Now.AddHours(-3).AddSeconds(4),
                Message = "The release serves.", Phases = [At(ReleasePhase.Pulling, -10_800), At(ReleasePhase.Creating, -10_799), At(ReleasePhase.Starting, -10_798.8), At(ReleasePhase.Verifying, -10_798.6), At(ReleasePhase.Activating, -10_796.2), At(ReleasePhase.Probation, -10_796)],
            },
            new DeploymentStatus
            {
                Id = "d2", Kind = DeploymentKind.Launch, Hash = Broken, Revision = "42-rc1", AcceptedAt = Now.AddHours(-4), Deadline = Now.AddHours(-3), End = DeploymentEnd.Failed, EndedAt = Now.AddHours(-4).AddSeconds(6), Message = Failure.Message, Failure = Failure,
            },
        ],
        Plan = new PlanStatus("Unhealthy", "43 isn't healthy yet", Now.AddSeconds(111), ["Start shop-cccccccccccc-8"]),
        Proxy = new ProxyStatus
        {
            Version = "0.1.0",
            ProcessId = 4711,
            StartedAt = Now.AddDays(-9),
            Listening = ["0.0.0.0:80"],
            HeapSizeBytes = 12_000_000,
            Connections = new Dictionary<string, long> { ["new"] = 1, ["active"] = 6, ["idle"] = 23, ["upgraded"] = 4 },
        },
    };

    /// <summary>The same later: the next release is healthy, and gets a tenth of the clients.</summary>
    public static StatusDocument StandingBy { get; } = Eventful with
    {
        Canary = new CanaryStatus(Next, 10),
        Releases =
        [
            .. Eventful.Releases.Select(release => release.Hash != Next ? release : release with
            {
                Phase = ReleasePhase.Standby,
                Since = Now.AddMinutes(-4),
                LastProbe = "200 OK",
                Traffic = new TargetTraffic { Target = TargetOf(Next, "43"), InFlight = 1, Streams = 0, Traffic = TrafficOf(519), Standby = new StandbyTraffic { Previews = 7, Canary = 512, SentBack = 2 } },
            }),
        ],
        Deployments = [.. Eventful.Deployments.Skip(1)],
        Proxy = Eventful.Proxy! with
        {
            Applications =
            [
                new ApplicationState
                {
                    Application = "shop", Installation = "i1", Generation = 7, Fence = 7, Target = TargetOf(Serving, "42"), Total = TrafficOf(48_211), Standby = new StandbyState { Target = TargetOf(Next, "43"), Percent = 10 },
                },
            ],
        },
    };

    public static PlanExplanation Explanation { get; } = new()
    {
        At = Now,
        Row = "Unhealthy",
        Reason = "43 isn't healthy yet",
        LookAgainAt = Now.AddSeconds(111),
        Working = ["Start shop-cccccccccccc-8"],
        Rules =
        [
            new RuleVerdict { Row = "Deploy", When = "current.json names another release", Then = "it is the desired release", Outcome = RuleOutcome.NotNow, Why = "It is not so." },
            new RuleVerdict { Row = "Unhealthy", When = "a candidate isn't healthy", Then = "it is rejected", Outcome = RuleOutcome.Waits, Why = "43 isn't healthy yet", Until = Now.AddSeconds(111) },
            new RuleVerdict { Row = "Settled", When = "none of the above has anything to do", Then = "nothing", Outcome = RuleOutcome.Chosen, Why = "No other rule has anything to do now." },
        ],
    };

    public static History History { get; } = new([new("42", Now.AddHours(-3), "ada@build-7", Serving), new("43", Now.AddSeconds(-22), "grace@build-7", Next)]);

    private static FailureEvidence Failure => new()
    {
        Class = FailureClass.Exited,
        Message = "Release 42-rc1 exited with code 3 before it was healthy. 41 serves on. Mend it and publish it anew.",
        At = Now.AddHours(-4).AddSeconds(6),
        ExitCode = 3,
        LastProbe = "connection refused",
        Log = ["boot: reading configuration", "boot: <b>no database</b> at db:5432", "exit 3"],
    };

    private static PhaseEntry At(ReleasePhase phase, double seconds) => new(phase, Now.AddSeconds(seconds));

    private static Target TargetOf(string hash, string revision) => new()
    {
        Release = hash,
        Revision = revision,
        ContainerId = new(revision[^1], 64),
        StartedAt = Now.AddHours(-3),
        Address = "172.30.0.7:9292",
        Probe = new HealthProbe(),
    };

    private static Traffic TrafficOf(long requests) => new()
    {
        Requests = requests,
        TotalSeconds = requests / 160.0,
        BytesIn = requests * 310,
        BytesOut = requests * 5_120,
        ByStatus = new Dictionary<int, long> { [200] = requests - 12, [404] = 9, [502] = 3 },
        Latency = [new LatencyWindow(1, 3_100, 4.2, 11, 48, 212), new LatencyWindow(5, 14_900, 4.1, 10.6, 44, 640), new LatencyWindow(15, requests, 4, 10, 41, 640)],
    };
}
