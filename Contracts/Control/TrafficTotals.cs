namespace Wunderproxy.Contracts.Control;

/// <summary>What was counted since the Proxy started, for those who make rates of it: answer of <c>GET /applications/{application}/totals</c> (404: the Proxy knows none of that name).</summary>
public sealed record TrafficTotals
{
    /// <summary>Upper limits of the durations that are counted together, in seconds, the shortest first.</summary>
    public IReadOnlyList<double> BoundsSeconds { get; init => field = value ?? []; } = [];

    /// <summary>Each release whose targets are still listed in <see cref="ApplicationState.Targets"/>; what it has counted never falls until it is gone.</summary>
    public IReadOnlyList<ReleaseTotals> Releases { get; init => field = value ?? []; } = [];
}

/// <summary>What was counted of one release.</summary>
public sealed record ReleaseTotals
{
    /// <summary>Hash of its launch configuration; absent: requests that got no target, and were answered by the Proxy itself.</summary>
    public string? Release { get; init; }

    /// <summary>Its name for people.</summary>
    public string Revision { get; init => field = value ?? ""; } = "";

    /// <summary>Plain requests that have begun and not ended.</summary>
    public long InFlight { get; init; }

    /// <summary>Upgraded connections and streams that have begun and not ended.</summary>
    public long Streams { get; init; }

    /// <summary>Requests that have ended, by the first digit of their status; digits that none had are left out.</summary>
    public required IReadOnlyDictionary<int, ClassTotals> ByClass { get; init; }
}

/// <summary>Requests of one release and one class of status.</summary>
public sealed record ClassTotals
{
    /// <summary>How many have ended.</summary>
    public required long Requests { get; init; }

    /// <summary>Bytes of their bodies.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Bytes of the bodies of their answers.</summary>
    public required long BytesOut { get; init; }

    /// <summary>Sum of their durations, in seconds; without streams.</summary>
    public required double Seconds { get; init; }

    /// <summary>How many took longer than the limit before and not longer than this one, for each of <see cref="TrafficTotals.BoundsSeconds"/>, and behind them how many took longer than all; without streams.</summary>
    public required IReadOnlyList<long> Durations { get; init; }
}
