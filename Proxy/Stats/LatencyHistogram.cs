using System.Numerics;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts durations in classes whose width grows with the duration: a percentile is at most 6.25 % above the true one.</summary>
/// <remarks>
/// Durations are whole microseconds, up to about 71 minutes (longer ones count as that). Below 16 µs each has a class of its own;
/// above, each power of two is cut into 16 classes.
/// </remarks>
internal sealed class LatencyHistogram
{
    private const int Bits = 4;
    private const int Parts = 1 << Bits;
    private const int Classes = (32 - Bits + 1) * Parts;

    private readonly int[] _counts = new int[Classes];
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

    /// <summary>Adds all that another one has counted.</summary>
    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < Classes; i++)
        {
            _counts[i] += Volatile.Read(ref other._counts[i]);
        }

        RaiseMax(Volatile.Read(ref other._maxMicroseconds));
    }

    /// <summary>Forgets everything. Not to be called while others record.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        _maxMicroseconds = 0;
    }

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

    /// <summary>How many durations were longer; those that differ by at most 6.25 % may count as not longer.</summary>
    public long CountAbove(TimeSpan duration)
    {
        var last = ClassOf((uint)Math.Clamp(duration.Ticks / TimeSpan.TicksPerMicrosecond, 0, uint.MaxValue));
        long count = 0;
        for (var i = last + 1; i < Classes; i++)
        {
            count += _counts[i];
        }

        return count;
    }

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
