namespace Wunderproxy.Proxy.Stats;

/// <summary>A copy of what a recorder had counted when it was looked at.</summary>
internal sealed class TrafficCounts
{
    /// <summary>There are this many first digits of a status.</summary>
    public const int Classes = 10;

    private readonly long[] _byClass = new long[Classes];
    private readonly LatencyHistogram _latency = new();

    /// <summary>Requests by the first digit of their status.</summary>
    public Span<long> ByClass => _byClass;

    /// <summary>Those whose duration counts and whose status is 500 or more.</summary>
    public long Errors { get; set; }

    /// <summary>Bytes of bodies.</summary>
    public long BytesIn { get; set; }

    /// <summary>Bytes of the bodies of answers.</summary>
    public long BytesOut { get; set; }

    /// <summary>Their durations.</summary>
    public LatencyHistogram Latency => _latency;

    /// <summary>Becomes the same as another one.</summary>
    public void CopyFrom(TrafficCounts other)
    {
        other._byClass.CopyTo(_byClass, 0);
        (Errors, BytesIn, BytesOut) = (other.Errors, other.BytesIn, other.BytesOut);
        _latency.CopyFrom(other._latency);
    }

    /// <summary>What it has beyond an earlier copy; absent: no request ended in between.</summary>
    /// <param name="former">The copy.</param>
    /// <param name="start">Unix time at which the step begins that this belongs to, in seconds.</param>
    /// <param name="maxMicroseconds">The largest duration since then.</param>
    public TrafficStep? Since(TrafficCounts former, long start, long maxMicroseconds)
    {
        var byClass = new long[Classes];
        for (var i = 0; i < Classes; i++)
        {
            byClass[i] = _byClass[i] - former._byClass[i];
        }

        return byClass.Any(count => count > 0)
            ? new TrafficStep(start, byClass, Errors - former.Errors, BytesIn - former.BytesIn, BytesOut - former.BytesOut, _latency.Since(former._latency, maxMicroseconds))
            : null;
    }
}

/// <summary>What was counted within a step.</summary>
/// <param name="Start">Unix time at which it begins, in seconds.</param>
/// <param name="ByClass">Requests by the first digit of their status.</param>
/// <param name="Errors">Those whose duration counts and whose status is 500 or more.</param>
/// <param name="BytesIn">Bytes of bodies.</param>
/// <param name="BytesOut">Bytes of the bodies of answers.</param>
/// <param name="Latency">Durations.</param>
internal sealed record TrafficStep(long Start, IReadOnlyList<long> ByClass, long Errors, long BytesIn, long BytesOut, LatencyCounts Latency);
