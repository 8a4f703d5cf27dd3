using System.Numerics;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts durations in classes whose width grows with the duration: a percentile is at most 6.25 % above the true one.</summary>
/// <remarks>
/// Durations are whole microseconds, up to about 71 minutes (longer ones count as that). Below 16 µs each has a class of its own;
/// above, each power of two is cut into 16 classes. Counts of a class begin again at zero after four billion; what was counted between two looks is right all the same.
/// </remarks>
internal sealed class LatencyHistogram
{
    private const int Bits = 4;
    private const int Parts = 1 << Bits;
    private const int Classes = (32 - Bits + 1) * Parts;

    private readonly uint[] _counts = new uint[Classes];
    private long _maxMicroseconds;

    /// <summary>How many durations were counted.</summary>
    public long Count => _counts.Sum(count => (long)count);

    /// <summary>The largest, exact, in milliseconds.</summary>
    public double MaxMs => Volatile.Read(ref _maxMicroseconds) / 1000.0;

    /// <summary>Counts a duration. Safe from any thread.</summary>
    public void Record(TimeSpan duration)
    {
        var microseconds = Math.Clamp(duration.Ticks / TimeSpan.TicksPerMicrosecond, 0, uint.MaxValue);
        Interlocked.Increment(ref _counts[ClassOf((uint)microseconds)]);
        RaiseMax(microseconds);
    }

    /// <summary>Adds what was counted between two looks.</summary>
    public void Add(LatencyCounts counts)
    {
        foreach (var (index, count) in counts.ByClass)
        {
            _counts[index] += count;
        }

        RaiseMax(counts.MaxMicroseconds);
    }

    /// <summary>Becomes the same as another one that others go on to record with, but for the largest.</summary>
    public void CopyFrom(LatencyHistogram other)
    {
        for (var i = 0; i < Classes; i++)
        {
            _counts[i] = Volatile.Read(ref other._counts[i]);
        }
    }

    /// <summary>What it has beyond an earlier copy of it.</summary>
    /// <param name="former">The copy.</param>
    /// <param name="maxMicroseconds">The largest duration since then.</param>
    public LatencyCounts Since(LatencyHistogram former, long maxMicroseconds)
    {
        var counts = new List<(ushort Class, uint Count)>();
        for (var i = 0; i < Classes; i++)
        {
            var count = unchecked(_counts[i] - former._counts[i]);
            if (count > 0)
            {
                counts.Add(((ushort)i, count));
            }
        }

        return new LatencyCounts([.. counts], maxMicroseconds);
    }

    /// <summary>Forgets the largest duration.</summary>
    /// <returns>The largest since the last time, in microseconds.</returns>
    public long TakeMax() => Interlocked.Exchange(ref _maxMicroseconds, 0);

    /// <summary>The duration that the given part of all durations doesn't exceed, in milliseconds; zero where nothing was counted.</summary>
    /// <param name="part">0 to 1, such as 0.99.</param>
    public double PercentileMs(double part)
    {
        var rank = (long)Math.Ceiling(Count * part);
        long seen = 0;
        for (var i = 0; i < Classes && rank > 0; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return Math.Min(LargestOf(i) / 1000.0, MaxMs);
            }
        }

        return 0;
    }

    /// <summary>The class of a duration.</summary>
    public static int ClassOf(TimeSpan duration) => ClassOf((uint)Math.Clamp(duration.Ticks / TimeSpan.TicksPerMicrosecond, 0, uint.MaxValue));

    private static int ClassOf(uint microseconds)
    {
        if (microseconds < Parts)
        {
            return (int)microseconds;
        }

        var power = BitOperations.Log2(microseconds);
        return ((power - Bits + 1) * Parts) + (int)((microseconds >> (power - Bits)) & (Parts - 1));
    }

    private static long LargestOf(int index)
    {
        if (index < Parts)
        {
            return index;
        }

        var shift = (index / Parts) - 1;
        return ((long)(Parts + (index % Parts) + 1) << shift) - 1;
    }

    private void RaiseMax(long microseconds)
    {
        var max = Volatile.Read(ref _maxMicroseconds);
        while (microseconds > max)
        {
            var before = Interlocked.CompareExchange(ref _maxMicroseconds, microseconds, max);
            if (before == max)
            {
                return;
            }

            max = before;
        }
    }
}

/// <summary>Durations that were counted within some time.</summary>
/// <param name="ByClass">How many are in each class of <see cref="LatencyHistogram"/> that has any.</param>
/// <param name="MaxMicroseconds">The largest.</param>
internal sealed record LatencyCounts(IReadOnlyList<(ushort Class, uint Count)> ByClass, long MaxMicroseconds)
{
    /// <summary>How many durations were longer; those that differ by at most 6.25 % may count as not longer.</summary>
    public long CountAbove(TimeSpan duration)
    {
        var last = LatencyHistogram.ClassOf(duration);
        return ByClass.Where(counted => counted.Class > last).Sum(counted => (long)counted.Count);
    }
}
