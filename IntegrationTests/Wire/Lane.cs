using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>One Proxy before one application, for one exchange at a time: what arrives belongs to what was sent last.</summary>
public sealed class Lane : IAsyncLifetime
{
    private RunningProxy? _proxy;
    private StrictApplication? _application;

    internal RunningProxy Proxy => _proxy!;

    internal StrictApplication Application => _application!;

    internal static async Task<Lane> StartAsync()
    {
        var lane = new Lane();
        await lane.InitializeAsync();
        return lane;
    }

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync();
        _application = new StrictApplication();
        await _proxy.SwitchAsync(_application.Address);
        _application.TakeArrived();
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy!.DisposeAsync();
        _application!.Dispose();
    }
}
