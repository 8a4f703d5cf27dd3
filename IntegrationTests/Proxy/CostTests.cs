using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What a small request costs in steady state, by measures that are the same on every machine.</summary>
public sealed class CostTests : IDisposable
{
    // Kestrel's task for each request and the Claim are most of it.
    private const int AllocationBudget = 500;

    // Two receives, two sends, and a wait of the event loop before each receive: one connection alone shares its waits with nobody.
    private const double SystemCallBudget = 6.5;

    private const string Get = "GET /page HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n";
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: app\r\nContent-Length: 2\r\n\r\nok";

    private readonly ProxyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("false")]
    [InlineData("/dev/null")]
    public async Task Small_request_allocates_no_more_than_its_budget_be_there_an_access_log_or_not(string accessLog)
    {
        const int pieces = 9;
        const int requests = 1000;
        await using var backend = AnsweringBackend();
        await using var proxy = await _folder.StartAsync(("WUNDERPROXY_ACCESS_LOG", accessLog));
        await _folder.PutAsync(backend.Address);
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        await AskAsync(client, 1000);
        await _folder.StatusAsync();

        // What the heap grows by is what was allocated, but for a piece in which it is collected: that is one in ten.
        var grown = new List<long>();
        for (var before = await HeapAsync(); grown.Count < pieces;)
        {
            await AskAsync(client, requests);
            var after = await HeapAsync();
            grown.Add(after - before);
            before = after;
        }

        Assert.InRange(grown.Order().ElementAt(pieces / 2) / requests, 1, AllocationBudget);

        async Task<long> HeapAsync() => (await _folder.StatusAsync()).HeapSizeBytes;
    }

    [Fact]
    public async Task WebSocket_on_which_nothing_moves_holds_no_memory_for_what_may_come()
    {
        const int sockets = 200;
        const int budget = 32 << 10;
        await using var backend = new RawBackend();
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
        var open = new List<RawConnection>();
        try
        {
            await OpenAsync();
            var before = (await _folder.StatusAsync()).HeapSizeBytes;
            await OpenAsync();

            // It may be less, where the first ones' garbage was collected meanwhile.
            Assert.InRange(((await _folder.StatusAsync()).HeapSizeBytes - before) / sockets, long.MinValue, budget);
        }
        finally
        {
            foreach (var connection in open)
                await connection.DisposeAsync();
        }

        async Task OpenAsync()
        {
            for (var i = 0; i < sockets; i++)
            {
                var client = await RawConnection.ConnectAsync(proxy.Address);
                await client.SendAsync("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
                var application = await backend.AcceptedAsync();
                await WebSocketPair.AcceptAsync(application);
                Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
                open.AddRange([client, application]);
            }
        }
    }

    [Fact]
    public async Task Small_request_makes_no_more_system_calls_than_its_budget()
    {
        const int requests = 2000;
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed.");
        await using var backend = AnsweringBackend();
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        await AskAsync(client, 1000);

        var calls = await CountCallsAsync(proxy.Id, () => AskAsync(client, requests));

        Assert.InRange((double)calls / requests, 4, SystemCallBudget);
    }

    [Fact]
    public async Task Requests_of_kept_connections_share_as_many_connections_to_the_application()
    {
        const int clients = 4;
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = AnsweringBackend();
        await proxy.SwitchAsync(backend.Address);

        await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
        {
            await using var client = await proxy.ConnectAsync();
            await AskAsync(client, 10_000 / clients);
        }));

        Assert.InRange(backend.Accepted, 1, clients);
    }

    private static RawBackend AnsweringBackend()
    {
        var backend = new RawBackend();
        backend.AnswerAll(Answer);
        return backend;
    }

    private static async Task AskAsync(RawConnection client, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await client.SendAsync(Get);
            Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        }
    }

    // Calls on sockets and of event loops; the runtime's own compiler and timers make others at their leisure.
    private static async Task<long> CountCallsAsync(int id, Func<Task> work)
    {
        var start = new ProcessStartInfo("strace", ["-f", "-c", "-e", "trace=%network,/^epoll", "-p", id.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardError = true,
        };
        using var strace = Process.Start(start)!;
        Assert.Contains("attached", await strace.StandardError.ReadLineAsync() ?? "", StringComparison.Ordinal);
        await work();
        using (var interrupt = Process.Start("kill", ["-INT", strace.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await interrupt.WaitForExitAsync();
        }

        var summary = await strace.StandardError.ReadToEndAsync();
        return CallsIn(summary);
    }

    // 100.00    0.123456          10     12345       678 total
    private static long CallsIn(string summary)
    {
        var total = summary.Split('\n').LastOrDefault(line => line.TrimEnd().EndsWith(" total", StringComparison.Ordinal));
        Assert.True(total is not null, summary);
        return long.Parse(total.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture);
    }
}
