using System.Runtime.CompilerServices;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Remembering;

/// <summary>Whose traffic it is. A release has one for each run of the Proxy: what two runs have counted in the same step is added up.</summary>
/// <param name="Hash">Hash of the launch configuration; absent: requests without a target.</param>
/// <param name="Revision">Its name for people.</param>
/// <param name="Run">When the Proxy began to count, in milliseconds of Unix time.</param>
internal sealed record TrafficSource(string? Hash, string Revision, long Run);

/// <summary>The requests of a source that ended within a step, in little memory: there are thousands of them.</summary>
internal readonly struct KeptPoint
{
    private const double MicrosecondsPerMs = 1000;

    /// <summary>Whose they are.</summary>
    public required TrafficSource Source { get; init; }

    /// <summary>Unix time at which the step begins, in seconds.</summary>
    public required long Start { get; init; }

    /// <summary>How many, by the first digit of their status.</summary>
    public required CountsByClass ByClass { get; init; }

    /// <summary>Bytes of their bodies.</summary>
    public required long BytesIn { get; init; }

    /// <summary>Bytes of the bodies of their answers.</summary>
    public required long BytesOut { get; init; }

    /// <summary>Median of their durations, in microseconds.</summary>
    public required uint P50 { get; init; }

    /// <summary>90th percentile.</summary>
    public required uint P90 { get; init; }

    /// <summary>99th percentile.</summary>
    public required uint P99 { get; init; }

    /// <summary>A point as the Proxy tells it.</summary>
    public static KeptPoint Of(TrafficSource source, TrafficPoint point)
    {
        var byClass = default(CountsByClass);
        foreach (var (digit, count) in point.ByClass.Where(pair => pair.Key is >= 0 and < CountsByClass.Length))
        {
            byClass[digit] = (uint)Math.Clamp(count, 0, uint.MaxValue);
        }

        return new KeptPoint
        {
            Source = source,
            Start = point.At.ToUnixTimeSeconds(),
            ByClass = byClass,
            BytesIn = point.BytesIn,
            BytesOut = point.BytesOut,
            P50 = Microseconds(point.P50Ms),
            P90 = Microseconds(point.P90Ms),
            P99 = Microseconds(point.P99Ms),
        };
    }

    /// <summary>The same as people see it.</summary>
    public TrafficPoint ToPoint()
    {
        var byClass = new SortedDictionary<int, long>();
        for (var digit = 0; digit < CountsByClass.Length; digit++)
        {
            if (ByClass[digit] > 0)
            {
                byClass[digit] = ByClass[digit];
            }
        }

        return new TrafficPoint
        {
            At = DateTimeOffset.FromUnixTimeSeconds(Start),
            Requests = byClass.Values.Sum(),
            ByClass = byClass,
            BytesIn = BytesIn,
            BytesOut = BytesOut,
            P50Ms = P50 / MicrosecondsPerMs,
            P90Ms = P90 / MicrosecondsPerMs,
            P99Ms = P99 / MicrosecondsPerMs,
        };
    }

    private static uint Microseconds(double milliseconds) => (uint)Math.Clamp(Math.Round(milliseconds * MicrosecondsPerMs), 0, uint.MaxValue);
}

/// <summary>Counts by the first digit of a status.</summary>
[InlineArray(Length)]
internal struct CountsByClass
{
    /// <summary>There are this many digits.</summary>
    public const int Length = 10;

    private uint _first;
}
