using System.Collections.Concurrent;
using System.Net;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>Visitors who ask at fixed times, whether or not the answers are quick: one that an earlier answer has made late counts from when it was due.</summary>
/// <param name="address">Whom they ask, for <c>/</c>.</param>
internal sealed class SteadyVisitors(IPEndPoint address)
{
    private const int Count = 8;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks for a time.</summary>
    /// <returns>How long 99 % of the answers took at most.</returns>
    public async Task<TimeSpan> AskAsync(TimeSpan length)
    {
        var times = new ConcurrentBag<TimeSpan>();
        var began = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => AskAsync(Interval * i / Count, length, began, times)));
        return times.Order().ElementAt(times.Count * 99 / 100);
    }

    private async Task AskAsync(TimeSpan due, TimeSpan end, long began, ConcurrentBag<TimeSpan> times)
    {
        await using var client = await RawConnection.ConnectAsync(address);
        for (; due < end; due += Interval)
        {
            var wait = due - TimeProvider.System.GetElapsedTime(began);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, TimeProvider.System);
            var sent = wait > TimeSpan.Zero ? TimeProvider.System.GetElapsedTime(began) : due;
            await client.SendAsync("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync().WaitAsync(Patience, TimeProvider.System), StringComparison.Ordinal);
            times.Add(TimeProvider.System.GetElapsedTime(began) - sent);
        }
    }
}
