using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Remembering;

/// <summary>What a Proxy tells of its traffic, as a test wants it.</summary>
internal static class Points
{
    public static readonly DateTimeOffset Begin = new(2026, 11, 27, 7, 0, 0, TimeSpan.Zero);

    public static RecentTraffic Recent(double untilSeconds, params ReleaseTraffic[] releases) => Recent(untilSeconds, Begin, releases);

    public static RecentTraffic Recent(double untilSeconds, DateTimeOffset countingSince, params ReleaseTraffic[] releases) =>
        new() { CountingSince = countingSince, Until = Begin.AddSeconds(untilSeconds), Releases = releases };

    public static ReleaseTraffic Release(string? hash, IEnumerable<TrafficPoint>? seconds = null, IEnumerable<TrafficPoint>? tenSeconds = null) =>
        new() { Release = hash, Revision = hash is null ? "" : $"of {hash}", Seconds = [.. seconds ?? []], TenSeconds = [.. tenSeconds ?? []] };

    public static TrafficPoint Point(int second, long requests, double p99Ms = 9) => new()
    {
        At = Begin.AddSeconds(second),
        Requests = requests,
        ByClass = new Dictionary<int, long> { [2] = requests },
        BytesIn = requests * 2,
        BytesOut = requests * 3,
        P50Ms = 1.2,
        P90Ms = 3,
        P99Ms = p99Ms,
    };
}
