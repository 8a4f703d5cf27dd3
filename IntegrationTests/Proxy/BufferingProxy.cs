using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A Proxy that keeps for slow clients what it may, and the application that it serves.</summary>
internal sealed class BufferingProxy : IAsyncDisposable
{
    private BufferingProxy(RunningProxy proxy)
    {
        Proxy = proxy;
    }

    public RunningProxy Proxy { get; }

    public RawBackend Application { get; } = new();

    public static async Task<BufferingProxy> StartAsync(Buffering? buffering = null, Func<ProxyOptions, ProxyOptions>? change = null, TimeProvider? time = null)
    {
        var it = new BufferingProxy(await RunningProxy.StartAsync(change, time));
        await it.SwitchAsync(it.Application.Address, "one", buffering);
        return it;
    }

    /// <summary>Replaces the release; what still needs the former one is cut at once.</summary>
    public Task<ApplicationState> SwitchAsync(IPEndPoint address, string container, Buffering? buffering = null) => Proxy.SwitchAsync(address, container, snapshot =>
    {
        snapshot.Buffering = buffering ?? new Buffering();
        snapshot.HoldTimeout = TimeSpan.FromSeconds(10);
        (snapshot.DrainTimeout, snapshot.StreamDrainTimeout) = (TimeSpan.Zero, TimeSpan.Zero);
    });

    /// <summary>Lets the release that is active go on within other limits.</summary>
    public Task LimitAsync(Limits limits) => Proxy.SwitchAsync(Application.Address, "one", snapshot => (snapshot.Buffering, snapshot.Limits) = (new Buffering(), limits));

    /// <summary>A client that has sent a request.</summary>
    public async Task<RawConnection> ConnectAsync(string request)
    {
        var client = await Proxy.ConnectAsync();
        await client.SendAsync(request);
        return client;
    }

    public async Task<BufferUse> UseAsync() => (await Proxy.StatusAsync()).Buffers;

    /// <summary>Waits until what is kept is as expected.</summary>
    public async Task<BufferUse> UntilAsync(Func<BufferUse, bool> isAsExpected)
    {
        BufferUse use = new();
        await Lab.Eventually.HoldsAsync("buffers are as expected", async _ => isAsExpected(use = await UseAsync()), TimeSpan.FromSeconds(10));
        return use;
    }

    /// <summary>Waits until nothing is kept any more.</summary>
    public Task UntilEmptyAsync() => UntilAsync(use => use is { MemoryBytes: 0, DiskBytes: 0, Collecting: 0, Delivering: 0 });

    public async ValueTask DisposeAsync()
    {
        await Application.DisposeAsync();
        await Proxy.DisposeAsync();
    }
}
