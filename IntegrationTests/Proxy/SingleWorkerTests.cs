using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Many slow clients of an application that can serve only one connection at a time.</summary>
public sealed class SingleWorkerTests
{
    private const int Clients = 50;
    private const int Download = 10_000_000;
    private const int Upload = 1_000_000;
    private const long Memory = 64 << 20;
    private const long Disk = 1L << 30;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Slow_clients_do_not_keep_the_only_worker_from_others_and_stay_within_what_may_be_kept()
    {
        using var application = new SingleWorker();
        await using var it = await BufferingProxy.StartAsync(change: options => options with { BufferMemory = Memory, BufferDisk = Disk });
        await it.SwitchAsync(application.Address, "single");
        var readers = await ConnectAllAsync(it, $"GET /bytes/{Download} HTTP/1.1\r\nHost: a\r\n\r\n");
        var writers = await ConnectAllAsync(it, $"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: {Upload}\r\n\r\n{new string('x', Upload / 2)}");

        // Nobody reads, and nobody sends the rest; the worker is through with all that it can do.
        await it.UntilAsync(use => use is { Delivering: Clients, Collecting: Clients });
        Assert.EndsWith("ok", await it.Proxy.ExchangeAsync("GET /quick HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").WaitAsync(Limit, TimeProvider.System), StringComparison.Ordinal);
        var use = await it.UseAsync();
        Assert.InRange(use.MemoryBytes, 1, Memory);
        Assert.InRange(use.DiskBytes, 1, Disk);
        Assert.Equal(0, (await it.Proxy.StateAsync()).Targets[0].InFlight);

        foreach (var writer in writers)
        {
            await writer.SendAsync(new string('x', Upload / 2));
        }

        foreach (var writer in writers)
        {
            Assert.StartsWith("HTTP/1.1 200 ", await writer.ReadMessageAsync(), StringComparison.Ordinal);
            await writer.DisposeAsync();
        }

        foreach (var reader in readers)
        {
            await reader.ReadHeadAsync();
            Assert.Equal(Download, (await reader.ReadAsync(Download)).Count(c => c == 'x'));
            await reader.DisposeAsync();
        }

        Assert.Equal((Clients, Clients), (application.Served.Count(r => r.BodyLength == Upload), application.Served.Count(r => r.Line.Contains("/bytes/", StringComparison.Ordinal))));
        await it.UntilEmptyAsync();
        Assert.Equal(0, (await it.UseAsync()).FileFailures);
    }

    private static async Task<IReadOnlyList<RawConnection>> ConnectAllAsync(BufferingProxy it, string request)
    {
        var clients = new List<RawConnection>();
        for (var i = 0; i < Clients; i++)
        {
            clients.Add(await it.ConnectAsync(request));
        }

        return clients;
    }
}
