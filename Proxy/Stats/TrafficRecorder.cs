using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts requests: a few interlocked additions for each, no lock, no allocation. How they went by time is told from looks at the counts, one each second.</summary>
internal sealed class TrafficRecorder
{
    private const int StatusLimit = 1000;
    private const int StatusesPerClass = StatusLimit / TrafficCounts.Classes;
    private const int FirstError = 500;
    private const int TenSeconds = 10;
    private const int SecondsKept = 10 * 60;
    private const int TenSecondsKept = 15 * 60;
    private static readonly int[] WindowMinutes = [1, 5, 15];

    private readonly TimeProvider _time;
    private readonly long[] _byStatus = new long[StatusLimit];
    private readonly LatencyHistogram _latency = new();
    private readonly long[] _durations = new long[TrafficCounts.Classes * DurationBounds.Counts];
    private readonly long[] _ticks = new long[TrafficCounts.Classes];
    private readonly long[] _bytesIn = new long[TrafficCounts.Classes];
    private readonly long[] _bytesOut = new long[TrafficCounts.Classes];
    private long _streamTicks;
    private long _errors;
    private long _requests;

    // What follows is of the looks only.
    private readonly Lock _looking = new();
    private readonly TrafficCounts _seen = new();
    private readonly TrafficSteps _seconds;
    private readonly TrafficSteps _tenSeconds;
    private long _seenRequests;

    /// <param name="time">Clock of durations and of the steps.</param>
    public TrafficRecorder(TimeProvider time)
    {
        _time = time;
        _seconds = new TrafficSteps(_seen, 1, SecondsKept);
        _tenSeconds = new TrafficSteps(_seen, TenSeconds, TenSecondsKept);
        Look();
    }

    /// <summary>Counts one request that has ended now.</summary>
    /// <param name="status">Its status, 100 to 999.</param>
    /// <param name="began">Timestamp of its beginning.</param>
    /// <param name="bytesIn">Bytes of its body.</param>
    /// <param name="bytesOut">Bytes of the answer's body.</param>
    /// <param name="isStream">Whether it was a stream, which says nothing about latency.</param>
    /// <returns>Its duration.</returns>
    public TimeSpan Record(int status, long began, long bytesIn, long bytesOut, bool isStream)
    {
        var duration = _time.GetElapsedTime(began);
        status = Math.Clamp(status, 0, StatusLimit - 1);
        var digit = status / StatusesPerClass;
        Interlocked.Increment(ref _byStatus[status]);
        Interlocked.Add(ref _bytesIn[digit], bytesIn);
        Interlocked.Add(ref _bytesOut[digit], bytesOut);
        if (isStream)
        {
            Interlocked.Add(ref _streamTicks, duration.Ticks);
        }
        else
        {
            RecordDuration(status, digit, duration);
        }

        // The last one: a look that comes in between is followed by another one that sees the rest.
        Interlocked.Increment(ref _requests);
        return duration;
    }

    private void RecordDuration(int status, int digit, TimeSpan duration)
    {
        _latency.Record(duration);
        Interlocked.Add(ref _ticks[digit], duration.Ticks);
        Interlocked.Increment(ref _durations[(digit * DurationBounds.Counts) + DurationBounds.IndexOf(duration)]);
        if (status >= FirstError)
        {
            Interlocked.Increment(ref _errors);
        }
    }

    /// <summary>Looks at what was counted since the last look. It belongs to the steps in which that was, so it is to be done at the beginning of each second.</summary>
    public void Look()
    {
        lock (_looking)
        {
            if (Volatile.Read(ref _requests) is var requests && requests != _seenRequests)
            {
                _seenRequests = requests;
                CopyCounts();
                var max = _latency.TakeMax();
                _seconds.Take(max);
                _tenSeconds.Take(max);
            }

            var now = _time.GetUtcNow().ToUnixTimeSeconds();
            _seconds.Advance(now);
            _tenSeconds.Advance(now);
        }
    }

    /// <summary>What was counted in steps since a time, the oldest first, be they over or not.</summary>
    /// <param name="since">Unix time in seconds.</param>
    public (IReadOnlyList<TrafficStep> Seconds, IReadOnlyList<TrafficStep> TenSeconds) StepsSince(long since)
    {
        Look();
        lock (_looking)
        {
            return ([.. _seconds.All.Where(step => step.Start >= since)], [.. _tenSeconds.All.Where(step => step.Start >= since)]);
        }
    }

    /// <summary>What was counted so far.</summary>
    /// <param name="slowAfter">From when on a request counts as slow; absent: none does.</param>
    public Traffic Report(TimeSpan? slowAfter = null) => Report([this], slowAfter);

    /// <summary>What several recorders of the same clock have counted together.</summary>
    public static Traffic Report(IReadOnlyList<TrafficRecorder> recorders, TimeSpan? slowAfter = null) =>
        ReportOf([.. recorders.Where(r => Volatile.Read(ref r._requests) > 0)], slowAfter);

    private static Traffic ReportOf(IReadOnlyList<TrafficRecorder> recorders, TimeSpan? slowAfter) => new()
    {
        Requests = recorders.Sum(r => Volatile.Read(ref r._requests)),
        TotalSeconds = TimeSpan.FromTicks(recorders.Sum(r => Volatile.Read(ref r._streamTicks) + SumOf(r._ticks))).TotalSeconds,
        ByStatus = StatusesOf(recorders),
        BytesIn = recorders.Sum(r => SumOf(r._bytesIn)),
        BytesOut = recorders.Sum(r => SumOf(r._bytesOut)),
        Latency = WindowsOf(recorders, slowAfter),
    };

    /// <summary>Takes over what another recorder has counted, but for latencies.</summary>
    public void Add(TrafficRecorder other)
    {
        foreach (var (sums, others) in new[] { (_byStatus, other._byStatus), (_durations, other._durations), (_ticks, other._ticks), (_bytesIn, other._bytesIn), (_bytesOut, other._bytesOut) })
        {
            for (var i = 0; i < sums.Length; i++)
            {
                Interlocked.Add(ref sums[i], Volatile.Read(ref others[i]));
            }
        }

        Interlocked.Add(ref _streamTicks, Volatile.Read(ref other._streamTicks));
        Interlocked.Add(ref _requests, Volatile.Read(ref other._requests));
    }

    /// <summary>What several recorders have counted together, by the first digit of the status.</summary>
    public static IReadOnlyDictionary<int, ClassTotals> TotalsOf(IReadOnlyList<TrafficRecorder> recorders) => new SortedDictionary<int, ClassTotals>(
        Enumerable.Range(0, TrafficCounts.Classes)
            .Select(digit => (digit, Totals: TotalsOf(recorders, digit)))
            .Where(pair => pair.Totals.Requests > 0)
            .ToDictionary(pair => pair.digit, pair => pair.Totals));

    private static ClassTotals TotalsOf(IReadOnlyList<TrafficRecorder> recorders, int digit) => new()
    {
        Requests = recorders.Sum(r => SumOf(r._byStatus.AsSpan(digit * StatusesPerClass, StatusesPerClass))),
        BytesIn = recorders.Sum(r => Volatile.Read(ref r._bytesIn[digit])),
        BytesOut = recorders.Sum(r => Volatile.Read(ref r._bytesOut[digit])),
        Seconds = TimeSpan.FromTicks(recorders.Sum(r => Volatile.Read(ref r._ticks[digit]))).TotalSeconds,
        Durations = [.. Enumerable.Range(digit * DurationBounds.Counts, DurationBounds.Counts).Select(i => recorders.Sum(r => Volatile.Read(ref r._durations[i])))],
    };

    private static long SumOf(ReadOnlySpan<long> counts)
    {
        long sum = 0;
        foreach (ref readonly var count in counts)
        {
            sum += Volatile.Read(in count);
        }

        return sum;
    }

    private void CopyCounts()
    {
        _seen.ByClass.Clear();
        for (var status = 0; status < StatusLimit; status++)
        {
            _seen.ByClass[status / StatusesPerClass] += Volatile.Read(ref _byStatus[status]);
        }

        (_seen.Errors, _seen.BytesIn, _seen.BytesOut) = (Volatile.Read(ref _errors), SumOf(_bytesIn), SumOf(_bytesOut));
        _seen.Latency.CopyFrom(_latency);
    }

    private static SortedDictionary<int, long> StatusesOf(IReadOnlyList<TrafficRecorder> recorders)
    {
        var byStatus = new SortedDictionary<int, long>();
        if (recorders.Count == 0)
        {
            return byStatus;
        }

        for (var status = 0; status < StatusLimit; status++)
        {
            long count = 0;
            foreach (var recorder in recorders)
            {
                count += Volatile.Read(ref recorder._byStatus[status]);
            }

            if (count > 0)
            {
                byStatus[status] = count;
            }
        }

        return byStatus;
    }

    private static IReadOnlyList<LatencyWindow> WindowsOf(IReadOnlyList<TrafficRecorder> recorders, TimeSpan? slowAfter)
    {
        var steps = recorders.SelectMany(recorder => recorder.StepsSince(0).TenSeconds).ToList();
        return [.. WindowMinutes.Select(minutes => recorders.Count == 0 ? new LatencyWindow(minutes, 0, 0, 0, 0, 0) : WindowOf(steps, recorders[0]._time.GetUtcNow().ToUnixTimeSeconds(), minutes, slowAfter))];
    }

    // The beginning is rounded down to a step. Where there were only streams, there is nothing to tell.
    private static LatencyWindow WindowOf(IEnumerable<TrafficStep> steps, long now, int minutes, TimeSpan? slowAfter)
    {
        var from = now - (now % TenSeconds) - (minutes * 60);
        var sum = new WindowSum(slowAfter);
        foreach (var step in steps.Where(step => step.Start >= from && step.Latency.ByClass.Count > 0))
        {
            sum.Add(step.Latency, step.Errors);
        }

        return sum.Report(minutes);
    }
}
