using System.Globalization;
using System.Text.RegularExpressions;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>HTTP/2 with prior knowledge, by h2load with one thread, as fast as requests are answered.</summary>
internal static partial class H2load
{
    public const int Connections = 16;
    public const int Streams = 8;

    /// <summary>Asks for the small page.</summary>
    public static async Task<LoadResult> RunAsync(Uri address, TimeSpan duration)
    {
        var seconds = ((int)duration.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        var output = await Command.RunAsync(
            "h2load", ["-t1", $"-c{Connections}", $"-m{Streams}", $"-D{seconds}", new Uri(address, "tiny").ToString()], duration + TimeSpan.FromSeconds(20));
        var counts = Counts().Match(output);
        var (succeeded, failed) = (long.Parse(counts.Groups[1].Value, CultureInfo.InvariantCulture), long.Parse(counts.Groups[2].Value, CultureInfo.InvariantCulture));
        return new LoadResult(succeeded, succeeded / duration.TotalSeconds, failed, P99Ms: null);
    }

    // "requests: 49382 total, 49510 started, 49382 done, 49382 succeeded, 0 failed, 0 errored, 0 timeout"
    [GeneratedRegex(@"done, (\d+) succeeded, (\d+) failed", RegexOptions.None, 1000)]
    private static partial Regex Counts();
}
