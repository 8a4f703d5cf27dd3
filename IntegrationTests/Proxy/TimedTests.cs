using Microsoft.Extensions.Time.Testing;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Tests with one Proxy, whose clock they move, before one application, whose answers they give themselves once it is put in place.</summary>
public abstract class TimedTests : IAsyncLifetime
{
    private RunningProxy? _running;

    private protected FakeTimeProvider Time { get; } = new();

    private protected RunningProxy Proxy => _running!;

    private protected RawBackend Backend { get; } = new();

    public async ValueTask InitializeAsync() => _running = await RunningProxy.StartAsync(time: Time);

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
