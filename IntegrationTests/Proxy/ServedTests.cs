namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Tests with one Proxy before one application, whose answers they give themselves.</summary>
public abstract class ServedTests : IAsyncLifetime
{
    private protected const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private RunningProxy? _running;

    private protected RunningProxy Proxy => _running!;

    private protected RawBackend Backend { get; } = new();

    public async ValueTask InitializeAsync()
    {
        _running = await RunningProxy.StartAsync();
        await Proxy.SwitchAsync(Backend.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
