using System.Collections.ObjectModel;

namespace Wunderproxy.Contracts.Control;

/// <summary>How the Proxy serves one application: answer of <c>GET /applications/{application}</c> (404: it knows none of that name).</summary>
/// <remarks>
/// <c>DELETE /applications/{application}?installation=…</c> makes the Proxy forget an application, its fence included, and lets its target drain;
/// 200 with the last state, 404, 409 (<see cref="ControlProblem.ClaimedByOther"/>) or 507 (<see cref="ControlProblem.NotPersisted"/>).
/// An application of which only a fence is known has generation 0 and no target.
/// </remarks>
public sealed record ApplicationState
{
    /// <summary>Name of the application.</summary>
    public required string Application { get; init; }

    /// <summary>Which Controller owns it.</summary>
    public required string Installation { get; init; }

    /// <summary>Generation of the snapshot that is served.</summary>
    public required long Generation { get; init; }

    /// <summary>Newest fence seen, by a snapshot or by <see cref="FenceRequest"/>.</summary>
    public required long Fence { get; init; }

    /// <summary>Which requests belong to the application.</summary>
    public Routing Routing { get; set; } = new();

    /// <summary>The active target; absent: none yet.</summary>
    public Target? Target { get; init; }

    /// <summary>The release that stands by, and that some requests go to; absent: there is none.</summary>
    public StandbyState? Standby { get; init; }

    /// <summary>Whether maintenance is up.</summary>
    public bool Maintenance { get; init; }

    /// <summary>Whether traffic is paused.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Requests that wait until the target can be reached again, or the pause is over; at most 1000.</summary>
    public int Waiting { get; init; }

    /// <summary>Requests that wait until others have ended: see <see cref="Limits.MaxRequestsInFlight"/>.</summary>
    public int Queued { get; init; }

    /// <summary>
    /// Traffic of every target that was active or stood by since the Proxy started, at most 16, newest first. One that became active again has an entry
    /// for each turn. The active one is the first without <see cref="TargetTraffic.DrainingSince"/> that isn't <see cref="Standby"/>.
    /// </summary>
    public IReadOnlyList<TargetTraffic> Targets { get; init => field = value ?? []; } = [];

    /// <summary>Traffic of the application since the Proxy started, requests without a target included.</summary>
    public required Traffic Total { get; init; }
}

/// <summary>Traffic of one target.</summary>
public sealed record TargetTraffic
{
    /// <summary>The target.</summary>
    public required Target Target { get; init; }

    /// <summary>Since when it is replaced; absent: it is active.</summary>
    public DateTimeOffset? DrainingSince { get; init; }

    /// <summary>When the last of what runs on it is cut; absent: it is active, nothing runs on it any more, or its container serves again.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>What still runs on it; absent: it is active, or nothing does.</summary>
    public TargetDrain? Drain { get; init; }

    /// <summary>Plain requests that have begun and not ended.</summary>
    public required long InFlight { get; init; }

    /// <summary>Upgraded connections and streams that have begun and not ended; not part of <see cref="InFlight"/>.</summary>
    public required long Streams { get; init; }

    /// <summary>Counts and latencies.</summary>
    public required Traffic Traffic { get; init; }

    /// <summary>What of it came before the switch; absent: nothing did.</summary>
    public StandbyTraffic? Standby { get; init; }
}

/// <summary>Counts of requests since the Proxy started.</summary>
public sealed record Traffic
{
    /// <summary>Requests that have ended.</summary>
    public required long Requests { get; init; }

    /// <summary>Sum of their durations, in seconds.</summary>
    public required double TotalSeconds { get; init; }

    /// <summary>Requests by status code; 499: the client left before an answer began.</summary>
    public IReadOnlyDictionary<int, long> ByStatus { get; init => field = value ?? ReadOnlyDictionary<int, long>.Empty; } = ReadOnlyDictionary<int, long>.Empty;

    /// <summary>Bytes of request bodies.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Bytes of response bodies.</summary>
    public required long BytesOut { get; init; }

    /// <summary>Latency over the last 1, 5 and 15 minutes.</summary>
    public IReadOnlyList<LatencyWindow> Latency { get; init => field = value ?? []; } = [];
}

/// <summary>Latency of the requests that ended within a window, from the request's first byte to the answer's last one; streams are not counted.</summary>
/// <param name="Minutes">Length of the window: 1, 5 or 15.</param>
/// <param name="Requests">Requests that ended in it.</param>
/// <param name="P50Ms">Median, in milliseconds.</param>
/// <param name="P90Ms">90th percentile, in milliseconds.</param>
/// <param name="P99Ms">99th percentile, in milliseconds.</param>
/// <param name="MaxMs">Largest, in milliseconds.</param>
/// <param name="Errors">Requests of them that were answered with a status from 500 on.</param>
/// <param name="Slow">Requests of them that took longer than <see cref="ApplicationSnapshot.SlowAfter"/>, told at most 6.25 % too late; zero where there is none.</param>
public sealed record LatencyWindow(int Minutes, long Requests, double P50Ms, double P90Ms, double P99Ms, double MaxMs, long Errors = 0, long Slow = 0)
{
    /// <summary>How errors came: the variance of their number in 10 s by its mean, 1 where each comes by itself, more where they come in bursts.</summary>
    public double ErrorDispersion { get; init; }

    /// <summary>The same of slow requests.</summary>
    public double SlowDispersion { get; init; }
}

/// <summary>The Proxy as a whole: answer of <c>GET /status</c> on the control socket.</summary>
public sealed record ProxyStatus
{
    /// <summary>Version of the Proxy.</summary>
    public required string Version { get; init; }

    /// <summary>Process id.</summary>
    public required int ProcessId { get; init; }

    /// <summary>When the process started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The public addresses that it listens on, but for <see cref="ListeningTls"/>.</summary>
    public IReadOnlyList<string> Listening { get; init => field = value ?? []; } = [];

    /// <summary>Those on which it speaks TLS.</summary>
    public IReadOnlyList<string> ListeningTls { get; init => field = value ?? []; } = [];

    /// <summary>What it speaks TLS with.</summary>
    public IReadOnlyList<CertificateStatus> Certificates { get; init => field = value ?? []; } = [];

    /// <summary>Bytes of the managed heap.</summary>
    public required long HeapSizeBytes { get; init; }

    /// <summary>That the host is out of service; absent: it is in service.</summary>
    public HostDrain? HostDrain { get; init; }

    /// <summary>Client connections by state: <c>new</c> (no request yet), <c>active</c> (a request is running), <c>idle</c> (between requests), <c>upgraded</c>.</summary>
    public IReadOnlyDictionary<string, long> Connections { get; init => field = value ?? ReadOnlyDictionary<string, long>.Empty; } = ReadOnlyDictionary<string, long>.Empty;

    /// <summary>
    /// Connections that were closed as soon as they came, since the Proxy started: for lack of <c>descriptors</c>, or because there were as many as may be in
    /// <c>total</c>, or of one <c>client</c>.
    /// </summary>
    public IReadOnlyDictionary<string, long> RefusedConnections { get; init => field = value ?? ReadOnlyDictionary<string, long>.Empty; } = ReadOnlyDictionary<string, long>.Empty;

    /// <summary>Lines that the access log has dropped, because they came faster than they could be written, or couldn't be written at all; absent: there is no access log.</summary>
    public long? AccessLogDropped { get; init; }

    /// <summary>What is kept for slow clients.</summary>
    public BufferUse Buffers { get; init => field = value ?? new(); } = new();

    /// <summary>Requests that went to other hosts; absent: there are none to send any to.</summary>
    public IReadOnlyList<PeerTraffic>? Peers { get; init; }

    /// <summary>Requests that could have gone there, and for which the budget was used up.</summary>
    public long? PeersRefused { get; init; }

    /// <summary>Every application.</summary>
    public IReadOnlyList<ApplicationState> Applications { get; init => field = value ?? []; } = [];
}
