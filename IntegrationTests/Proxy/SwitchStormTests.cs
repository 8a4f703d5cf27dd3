using System.Globalization;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Switches one after another, as fast as the Proxy takes them.</summary>
public sealed class SwitchStormTests
{
    private const int Switches = 1000;
    private const int Visitors = 8;

    [Fact]
    public async Task A_thousand_switches_under_load_fail_no_request()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = Answering("1");
        await using var two = Answering("2");
        await proxy.SwitchAsync(one.Address, "c0", s => s.DrainTimeout = TimeSpan.FromSeconds(10));
        using var over = new CancellationTokenSource();
        var visitors = Enumerable.Range(0, Visitors).Select(_ => VisitAsync(proxy, over.Token)).ToList();

        for (var i = 1; i <= Switches; i++)
        {
            var backend = i % 2 == 0 ? one : two;
            backend.ExpectsProbe = true;
            await proxy.SwitchAsync(backend.Address, $"c{i.ToString(CultureInfo.InvariantCulture)}", s => s.DrainTimeout = TimeSpan.FromSeconds(10));
        }

        await over.CancelAsync();
        var answers = (await Task.WhenAll(visitors)).Sum();
        var state = await proxy.UntilAsync(s => s.Targets.All(t => t is { InFlight: 0, Streams: 0 }));
        Assert.Equal(answers, state.Total.Requests);
        Assert.Equal([200], state.Total.ByStatus.Keys);
        Assert.True(answers > Switches, $"There were {answers} requests only.");
    }

    private static RawBackend Answering(string body)
    {
        var backend = new RawBackend();
        backend.AnswerAll($"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{body}");
        return backend;
    }

    private static async Task<long> VisitAsync(RunningProxy proxy, CancellationToken over)
    {
        await using var client = await proxy.ConnectAsync();
        long answers = 0;
        for (; !over.IsCancellationRequested; answers++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
        }

        return answers;
    }
}
