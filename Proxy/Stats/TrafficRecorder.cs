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
    private long _requests;
    private long _errors;
    private long _ticks;
    private long _bytesIn;
    private long _bytesOut;

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
        Interlocked.Increment(ref _byStatus[Math.Clamp(status, 0, StatusLimit - 1)]);
        Interlocked.Add(ref _ticks, duration.Ticks);
        Interlocked.Add(ref _bytesIn, bytesIn);
        Interlocked.Add(ref _bytesOut, bytesOut);
        if (!isStream)
        {
            _latency.Record(duration);
            if (status >= FirstError)
            {
                Interlocked.Increment(ref _errors);
            }
        }

        // The last one: a look that comes in between is followed by another one that sees the rest.
        Interlocked.Increment(ref _requests);
        return duration;
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
        TotalSeconds = TimeSpan.FromTicks(recorders.Sum(r => Volatile.Read(ref r._ticks))).TotalSeconds,
        ByStatus = StatusesOf(recorders),
        BytesIn = recorders.Sum(r => Volatile.Read(ref r._bytesIn)),
        BytesOut = recorders.Sum(r => Volatile.Read(ref r._bytesOut)),
        Latency = WindowsOf(recorders, slowAfter),
    };

    /// <summary>Takes over what another recorder has counted, but for latencies.</summary>
    public void Add(TrafficRecorder other)
    {
        for (var status = 0; status < StatusLimit; status++)
        {
            Interlocked.Add(ref _byStatus[status], Volatile.Read(ref other._byStatus[status]));
        }

        Interlocked.Add(ref _requests, Volatile.Read(ref other._requests));
        Interlocked.Add(ref _ticks, Volatile.Read(ref other._ticks));
        Interlocked.Add(ref _bytesIn, Volatile.Read(ref other._bytesIn));
        Interlocked.Add(ref _bytesOut, Volatile.Read(ref other._bytesOut));
    }

    private void CopyCounts()
    {
        _seen.ByClass.Clear();
        for (var status = 0; status < StatusLimit; status++)
        {
            _seen.ByClass[status / StatusesPerClass] += Volatile.Read(ref _byStatus[status]);
        }

        (_seen.Errors, _seen.BytesIn, _seen.BytesOut) = (Volatile.Read(ref _errors), Volatile.Read(ref _bytesIn), Volatile.Read(ref _bytesOut));
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
