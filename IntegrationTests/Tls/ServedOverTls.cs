using System.Net;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Tests with one Proxy before one application, to which clients speak TLS. The Proxy's clock stands still unless a test moves it.</summary>
public abstract class ServedOverTls : IAsyncLifetime
{
    private protected const string Get = $"GET / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\n\r\n";
    private protected const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private RunningProxy? _running;

    private protected FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    private protected TestAuthority Authority { get; } = new();

    private protected RunningProxy Proxy => _running!;

    private protected RawBackend Backend { get; } = new();

    public async ValueTask InitializeAsync()
    {
        _running = await RunningProxy.StartAsync(Authority.Offer, Time);
        await Proxy.SwitchAsync(Backend.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Backend.DisposeAsync();
        Authority.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A client's connection for HTTP/1.1.</summary>
    private protected Task<RawConnection> ConnectAsync() => Authority.ConnectAsync(Proxy);

    /// <summary>The standard client.</summary>
    private protected HttpClient ClientFor(Version version) => Authority.ClientFor(Proxy.TlsAddress, version);
}
