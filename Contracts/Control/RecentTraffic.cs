namespace Wunderproxy.Contracts.Control;

/// <summary>How an application's traffic went lately: answer of <c>GET /applications/{application}/traffic?since=SECONDS</c> (404: the Proxy knows none of that name).</summary>
/// <remarks>
/// <c>since</c> is a Unix time in seconds, rounded down to a step of ten; absent: all that is kept. Steps of a second are kept for 10 minutes, those of ten seconds for 15.
/// The step in which <see cref="Until"/> is goes on; asked for again it has what came after, in place of what was told before.
/// </remarks>
public sealed record RecentTraffic
{
    /// <summary>When this Proxy began to count: tells its runs apart. What a former run has counted in the same step comes on top.</summary>
    public required DateTimeOffset CountingSince { get; init; }

    /// <summary>When it was looked.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Releases that had traffic.</summary>
    public IReadOnlyList<ReleaseTraffic> Releases { get; init => field = value ?? []; } = [];

    /// <summary>When traffic was moved, at most 16 times, the oldest first; the first one may be what was served when the Proxy started.</summary>
    public IReadOnlyList<TrafficSwitch> Switches { get; init => field = value ?? []; } = [];

    /// <summary>What the run before this one had counted when it was ended in order; absent: nothing since the time that was asked for, or it was ended otherwise.</summary>
    public RecentTraffic? Former { get; init; }
}

/// <summary>Traffic of one release by steps, the oldest first; steps in which nothing happened are left out.</summary>
public sealed record ReleaseTraffic
{
    /// <summary>Hash of its launch configuration; absent: requests that got no target, and were answered by the Proxy itself.</summary>
    public string? Release { get; init; }

    /// <summary>Its name for people.</summary>
    public string Revision { get; init => field = value ?? ""; } = "";

    /// <summary>Steps of a second.</summary>
    public IReadOnlyList<TrafficPoint> Seconds { get; init => field = value ?? []; } = [];

    /// <summary>Steps of ten seconds.</summary>
    public IReadOnlyList<TrafficPoint> TenSeconds { get; init => field = value ?? []; } = [];
}

/// <summary>The requests that ended within a step.</summary>
public sealed record TrafficPoint
{
    /// <summary>Beginning of the step.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>How many ended.</summary>
    public required long Requests { get; init; }

    /// <summary>The same by the first digit of their status.</summary>
    public required IReadOnlyDictionary<int, long> ByClass { get; init; }

    /// <summary>Bytes of their bodies.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Bytes of the bodies of their answers.</summary>
    public required long BytesOut { get; init; }

    /// <summary>Median of their durations, in milliseconds; of streams there are none, and zero where there were only these.</summary>
    public required double P50Ms { get; init; }

    /// <summary>90th percentile, in milliseconds.</summary>
    public required double P90Ms { get; init; }

    /// <summary>99th percentile, in milliseconds.</summary>
    public required double P99Ms { get; init; }
}

/// <summary>Traffic was moved to a release.</summary>
/// <param name="At">When.</param>
/// <param name="Hash">Hash of its launch configuration.</param>
/// <param name="Revision">Its name for people.</param>
public sealed record TrafficSwitch(DateTimeOffset At, string Hash, string Revision);
