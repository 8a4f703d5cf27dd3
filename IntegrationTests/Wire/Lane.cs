using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>One Proxy before one application, for one exchange at a time: what arrives belongs to what was sent last.</summary>
public sealed class Lane : IAsyncLifetime
{
    private RunningProxy? _proxy;
    private StrictApplication? _application;
    private TestAuthority? _authority;

    internal RunningProxy Proxy => _proxy!;

    internal StrictApplication Application => _application!;

    internal static async Task<Lane> StartAsync()
    {
        var lane = new Lane();
        await lane.InitializeAsync();
        return lane;
    }

    /// <summary>Starts one whose clients speak TLS.</summary>
    internal static async Task<Lane> StartTlsAsync()
    {
        var lane = new Lane { _authority = new TestAuthority() };
        await lane.InitializeAsync();
        return lane;
    }

    internal Task<WireConnection> ConnectAsync() =>
        _authority is null ? WireConnection.ConnectAsync(Proxy.Address) : _authority.ConnectAsync(Proxy.TlsAddress, static (socket, tls) => new WireConnection(socket, tls));

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync(_authority is null ? null : _authority.Offer);
        _application = new StrictApplication();
        await _proxy.SwitchAsync(_application.Address);
        _application.TakeArrived();
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy!.DisposeAsync();
        _application!.Dispose();
        _authority?.Dispose();
    }
}
