using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts requests: a few interlocked additions for each, no lock, no allocation.</summary>
/// <param name="time">Clock of durations and of the latency windows.</param>
internal sealed class TrafficRecorder(TimeProvider time)
{
    private const int StatusLimit = 1000;
    private const int FirstError = 500;
    private static readonly int[] WindowMinutes = [1, 5, 15];

    private readonly long[] _byStatus = new long[StatusLimit];
    private readonly LatencyWindows _latency = new();
    private long _requests;
    private long _ticks;
    private long _bytesIn;
    private long _bytesOut;

    /// <summary>Counts one request that has ended now.</summary>
    /// <param name="status">Its status, 100 to 999.</param>
    /// <param name="began">Timestamp of its beginning.</param>
    /// <param name="bytesIn">Bytes of its body.</param>
    /// <param name="bytesOut">Bytes of the answer's body.</param>
    /// <param name="isStream">Whether it was a stream, which says nothing about latency.</param>
    /// <returns>Its duration.</returns>
    public TimeSpan Record(int status, long began, long bytesIn, long bytesOut, bool isStream)
    {
        var now = time.GetTimestamp();
        var duration = time.GetElapsedTime(began, now);
        Interlocked.Increment(ref _byStatus[Math.Clamp(status, 0, StatusLimit - 1)]);
        Interlocked.Add(ref _ticks, duration.Ticks);
        Interlocked.Add(ref _bytesIn, bytesIn);
        Interlocked.Add(ref _bytesOut, bytesOut);
        if (!isStream)
        {
            _latency.Record(Seconds(now), duration, isError: status >= FirstError);
        }

        Interlocked.Increment(ref _requests);
        return duration;
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
        Latency = [.. WindowMinutes.Select(minutes => WindowOf(recorders, minutes, slowAfter))],
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

    private static LatencyWindow WindowOf(IReadOnlyList<TrafficRecorder> recorders, int minutes, TimeSpan? slowAfter)
    {
        if (recorders.Count == 0)
        {
            return new LatencyWindow(minutes, 0, 0, 0, 0, 0);
        }

        var sum = new WindowSum(slowAfter);
        foreach (var recorder in recorders)
        {
            recorder._latency.AddTo(sum, recorder.Seconds(recorder.Now), minutes);
        }

        return sum.Report(minutes);
    }

    private long Now => time.GetTimestamp();

    private long Seconds(long timestamp) => timestamp / time.TimestampFrequency;
}
