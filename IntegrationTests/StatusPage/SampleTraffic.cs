using System.Globalization;
using System.Text.Json;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.StatusPage;

/// <summary>An hour of traffic over three releases, as <c>GET /traffic</c> tells it.</summary>
internal static class SampleTraffic
{
    private const int StepSeconds = 10;

    public static string Json { get; } = JsonSerializer.Serialize(new
    {
        StepSeconds,
        Until = Time(0),
        Revisions = new object[]
        {
            new { Revision = "41", Hash = SampleStatus.Old, Points = Points(-3600, -1500, 4.2) },
            new { Revision = "42", Hash = SampleStatus.Serving, Points = Points(-1500, -700, 3.1).Concat(Points(-600, 0, 2.6)) },
            new { Revision = "43", Hash = SampleStatus.Next, Points = Points(-700, -600, 9) },
            new { Revision = (string?)null, Hash = (string?)null, Points = new[] { new { At = Time(-640), Requests = 12, ByClass = new Dictionary<string, int> { ["5"] = 12 }, BytesIn = 0, BytesOut = 400, P50Ms = 1.0, P90Ms = 1.0, P99Ms = 1.0 } } },
        },
        Switches = new[]
        {
            new { At = Time(-1500), Hash = SampleStatus.Serving, Revision = "42" },
            new { At = Time(-700), Hash = SampleStatus.Next, Revision = "43" },
            new { At = Time(-600), Hash = SampleStatus.Serving, Revision = "42" },
        },
    });

    private static IEnumerable<object> Points(int from, int to, double latency)
    {
        for (var second = from; second < to; second += StepSeconds)
        {
            var requests = (int)(1100 + 420 * Math.Sin(second / 400.0) + 90 * Math.Sin(second / 37.0));
            var slow = latency * (1 + 0.25 * Math.Sin(second / 90.0));
            yield return new
            {
                At = Time(second),
                Requests = requests,
                ByClass = new Dictionary<string, int> { ["2"] = requests - 9, ["3"] = 5, ["4"] = 4 + (second % 170 == 0 ? 14 : 0), ["5"] = latency > 8 ? 30 : 0 },
                BytesIn = 0,
                BytesOut = requests * 5_120,
                P50Ms = slow,
                P90Ms = slow * 2.4,
                P99Ms = slow * (second % 290 == 0 ? 40 : 11),
            };
        }
    }

    private static string Time(int seconds) => SampleStatus.Now.AddSeconds(seconds).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
