using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>Everything that the Proxy needs to know about one application. Always sent whole; applying it twice changes nothing.</summary>
/// <remarks>
/// Optional members have setters, here and in the records within: generated JSON code would overwrite the defaults of absent ones otherwise.
/// Body of <c>PUT /applications/{application}</c> on the control socket. The Proxy answers
/// 200 with <see cref="ApplicationState"/> when it serves by this snapshot;
/// 409 (<see cref="ControlProblem.StaleGeneration"/>, <see cref="ControlProblem.StaleFence"/>, <see cref="ControlProblem.ClaimedByOther"/>) when it may not;
/// 422 (<see cref="ControlProblem.TargetUnhealthy"/>) when target or standby is another one than now and the Proxy itself did not find it healthy;
/// 507 (<see cref="ControlProblem.NotPersisted"/>) when the snapshot couldn't be written to disk. On every error it serves on as before.
/// </remarks>
public sealed record ApplicationSnapshot
{
    /// <summary>Name of the application, as in the path.</summary>
    public required string Application { get; init; }

    /// <summary>Which Controller owns the application; another owner's snapshot is refused.</summary>
    public required string Installation { get; init; }

    /// <summary>Grows with each change. An older one is refused, an equal one with equal content changes nothing.</summary>
    public required long Generation { get; init; }

    /// <summary>Permission to move traffic: a snapshot with another target than now is taken only if its fence is newer than the Proxy's.</summary>
    public required long Fence { get; init; }

    /// <summary>Which requests belong to the application.</summary>
    public Routing Routing { get; set; } = new();

    /// <summary>The active release; absent: the application has none yet and the Proxy answers 503.</summary>
    public Target? Target { get; set; }

    /// <summary>The release that stands by and that somebody is to get to before the switch; absent: there is none. Another one than now is taken only if the fence is newer, as with <see cref="Target"/>.</summary>
    public Standby? Standby { get; set; }

    /// <summary>How long plain requests of the target that this snapshot replaces may go on before they are cut.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The same for upgraded connections and streams.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan StreamDrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Set while maintenance is up: every request is answered with this page and status 503.</summary>
    public MaintenancePage? Maintenance { get; set; }

    /// <summary>The application's own error pages.</summary>
    public ErrorPages ErrorPages { get; set; } = new();

    /// <summary>Set while traffic is paused: requests wait up to <see cref="HoldTimeout"/> for the end of the pause, and are answered with status 503 then. Those that run go on.</summary>
    public bool IsPaused { get; set; }

    /// <summary>How long a request waits for a target that can't be reached, as while its container is started again, or for the end of a pause; zero: not at all.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan HoldTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What requests may take, and how long the target may take to answer them.</summary>
    public Limits Limits { get; set; } = new();

    /// <summary>What is wanted of clients that speak TLS; absent: nothing.</summary>
    public TlsSettings? Tls { get; set; }

    /// <summary>What is kept for slow clients; absent: nothing, everything goes through as it comes.</summary>
    public Buffering? Buffering { get; set; }

    /// <summary>What is compressed; absent: nothing.</summary>
    public Compression? Compression { get; set; }

    /// <summary>From when on a request is counted as slow in what the Proxy reports; absent: none is.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan? SlowAfter { get; set; }

    /// <summary>Who answers requests for the path of the target's probe while maintenance is up or traffic is paused; <c>/</c> is a page like any other.</summary>
    public HealthInMaintenance HealthInMaintenance { get; set; }
}

/// <summary>Who answers requests for the health check's path while maintenance is up or traffic is paused. Load balancers in front of the host go by it.</summary>
public enum HealthInMaintenance
{
    /// <summary>The application, as always.</summary>
    Application,

    /// <summary>The Proxy, with status 200.</summary>
    Healthy,

    /// <summary>Nobody: as all other requests, with the maintenance page, or after a wait.</summary>
    Unavailable,
}

/// <summary>One container that can receive requests.</summary>
public sealed record Target
{
    /// <summary>Hash of the launch configuration that the container runs.</summary>
    public required string Release { get; init; }

    /// <summary>Name of the release for people.</summary>
    public string Revision { get; set; } = "";

    /// <summary>The engine's id of the container. With <see cref="StartedAt"/> and <see cref="Address"/> it is the target's identity.</summary>
    public required string ContainerId { get; init; }

    /// <summary>When the container was started, as the engine says; a restarted container is another target.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>IP address and port, such as <c>172.30.0.2:9292</c>.</summary>
    public required string Address { get; init; }

    /// <summary>What requests are sent by.</summary>
    public ApplicationProtocol Protocol { get; set; }

    /// <summary>The probe with which the Proxy checks the target at the moment of the switch.</summary>
    public required HealthProbe Probe { get; init; }

    /// <summary>Whether both name the same container in the same run at the same address.</summary>
    public bool IsSameAs(Target? other) =>
        other is not null && StartedAt == other.StartedAt && ContainerId == other.ContainerId && Address == other.Address;
}

/// <summary>One HTTP GET that tells whether a container is healthy. Redirects are not followed.</summary>
public sealed record HealthProbe
{
    /// <summary>What it is sent by.</summary>
    public ApplicationProtocol Protocol { get; set; }

    /// <summary>Path and query, with leading slash.</summary>
    public string Path { get; set; } = "/";

    /// <summary>Value of the Host header.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>All further headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; set; } = new Dictionary<string, string>();

    /// <summary>Codes and ranges, such as <c>200-299,304</c>.</summary>
    public string ExpectedStatus { get; set; } = "200-299";

    /// <summary>Text that the first 64 KiB of a healthy answer contain; absent: any body.</summary>
    public string? ExpectedBody { get; set; }

    /// <summary>Limit of the whole probe.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>What visitors see while maintenance is up.</summary>
public sealed record MaintenancePage
{
    /// <summary>Media type of <see cref="Body"/>.</summary>
    public string ContentType { get; set; } = "text/html; charset=utf-8";

    /// <summary>The page, at most 256 KiB; absent: the Proxy's own page.</summary>
    public string? Body { get; set; }
}
