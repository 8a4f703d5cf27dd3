using System.Collections.Concurrent;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Requests at fixed times, whether or not the answers are quick.</summary>
internal static class SteadyRate
{
    public const int PerSecond = 4000;
    public const int Connections = 64;

    private static readonly byte[] Request = "GET /tiny HTTP/1.1\r\nHost: bench\r\n\r\n"u8.ToArray();

    public static async Task<LoadResult> RunAsync(Uri address, TimeSpan duration)
    {
        var latencies = new ConcurrentBag<double>();
        var failed = 0;
        var interval = TimeSpan.FromSeconds((double)Connections / PerSecond);
        var began = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async i =>
        {
            using var client = await RawClient.ConnectAsync(address);
            for (var due = interval * i / Connections; due < duration; due += interval)
            {
                // A request that an earlier answer has made late counts from when it was due: a user would have asked then.
                var wait = due - TimeProvider.System.GetElapsedTime(began);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, TimeProvider.System);
                var sent = wait > TimeSpan.Zero ? TimeProvider.System.GetElapsedTime(began) : due;
                if (await client.AskAsync(Request, CancellationToken.None) == 0)
                    Interlocked.Increment(ref failed);
                latencies.Add((TimeProvider.System.GetElapsedTime(began) - sent).TotalMilliseconds);
            }
        }));
        return new LoadResult(latencies.Count, latencies.Count / duration.TotalSeconds, failed, new Figures(latencies).Percentile(99));
    }
}
