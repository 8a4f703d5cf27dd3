using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.StatusPage;

/// <summary>An hour of traffic over three releases, of which one was bad.</summary>
internal static class SampleTraffic
{
    private const int StepSeconds = 10;

    public static TrafficDocument Hour { get; } = new()
    {
        StepSeconds = StepSeconds,
        Until = SampleStatus.Now,
        Revisions =
        [
            new RevisionTraffic("41", SampleStatus.Old, [.. Points(-3600, -1500, 4.2)]),
            new RevisionTraffic("42", SampleStatus.Serving, [.. Points(-1500, -700, 3.1), .. Points(-600, 0, 2.6)]),
            new RevisionTraffic("43", SampleStatus.Next, [.. Points(-700, -600, 9, failures: 30)]),
            new RevisionTraffic("", null, [Point(-640, new Dictionary<int, long> { [5] = 12 }, 1)]),
        ],
        Switches =
        [
            new TrafficSwitch(SampleStatus.Now.AddSeconds(-1500), SampleStatus.Serving, "42"),
            new TrafficSwitch(SampleStatus.Now.AddSeconds(-700), SampleStatus.Next, "43"),
            new TrafficSwitch(SampleStatus.Now.AddSeconds(-600), SampleStatus.Serving, "42"),
        ],
    };

    private static IEnumerable<TrafficPoint> Points(int from, int to, double latency, long failures = 0)
    {
        for (var second = from; second < to; second += StepSeconds)
        {
            var good = (long)(1100 + 420 * Math.Sin(second / 400.0) + 90 * Math.Sin(second / 37.0));
            yield return Point(
                second,
                new Dictionary<int, long> { [2] = good, [3] = 5, [4] = 4 + (second % 170 == 0 ? 14 : 0), [5] = failures },
                latency * (1 + 0.25 * Math.Sin(second / 90.0)),
                second % 290 == 0 ? 40 : 11);
        }
    }

    private static TrafficPoint Point(int second, Dictionary<int, long> byClass, double latency, double spread = 1) => new()
    {
        At = SampleStatus.Now.AddSeconds(second),
        Requests = byClass.Values.Sum(),
        ByClass = byClass,
        BytesIn = 0,
        BytesOut = byClass.Values.Sum() * 5_120,
        P50Ms = latency,
        P90Ms = latency * Math.Min(spread, 2.4),
        P99Ms = latency * spread,
    };
}
