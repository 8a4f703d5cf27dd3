using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Makes points of the steps of recorders: those of the same release and step are one point.</summary>
internal static class RecentReport
{
    /// <summary>Traffic of a release.</summary>
    /// <param name="release">Hash of its configuration; absent: it is that without a target.</param>
    /// <param name="revision">Its name for people.</param>
    /// <param name="recorders">What has recorded it.</param>
    /// <param name="since">Unix time in seconds from which steps are wanted.</param>
    /// <returns>Absent: there was none.</returns>
    public static ReleaseTraffic? Of(string? release, string revision, IEnumerable<TrafficRecorder> recorders, long since)
    {
        var steps = recorders.Select(recorder => recorder.StepsSince(since)).ToList();
        var seconds = PointsOf(steps.SelectMany(own => own.Seconds));
        var tenSeconds = PointsOf(steps.SelectMany(own => own.TenSeconds));
        return seconds.Count + tenSeconds.Count == 0 ? null : new ReleaseTraffic { Release = release, Revision = revision, Seconds = seconds, TenSeconds = tenSeconds };
    }

    private static IReadOnlyList<TrafficPoint> PointsOf(IEnumerable<TrafficStep> steps) =>
        [.. steps.GroupBy(step => step.Start).OrderBy(group => group.Key).Select(group => PointOf(group.Key, [.. group]))];

    private static TrafficPoint PointOf(long start, List<TrafficStep> steps)
    {
        var latency = new LatencyHistogram();
        steps.ForEach(step => latency.Add(step.Latency));
        var byClass = new SortedDictionary<int, long>(Enumerable.Range(0, TrafficCounts.Classes)
            .Select(digit => (digit, Count: steps.Sum(step => step.ByClass[digit])))
            .Where(pair => pair.Count > 0)
            .ToDictionary(pair => pair.digit, pair => pair.Count));
        return new TrafficPoint
        {
            At = DateTimeOffset.FromUnixTimeSeconds(start),
            Requests = byClass.Values.Sum(),
            ByClass = byClass,
            BytesIn = steps.Sum(step => step.BytesIn),
            BytesOut = steps.Sum(step => step.BytesOut),
            P50Ms = latency.PercentileMs(0.50),
            P90Ms = latency.PercentileMs(0.90),
            P99Ms = latency.PercentileMs(0.99),
        };
    }
}
