using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>The real executable before one application, to which clients speak TLS.</summary>
public sealed class ExecutableOverTls : IAsyncLifetime
{
    private readonly ProxyFolder _folder = new();
    private readonly RawBackend _backend = new();
    private StartedProxy? _proxy;

    internal TestAuthority Authority { get; } = new();

    internal IPEndPoint Address { get; private set; } = new(IPAddress.None, 0);

    internal IPEndPoint Application => _backend.Address;

    public async ValueTask InitializeAsync()
    {
        _proxy = await _folder.StartAsync(("WUNDERPROXY_LISTEN_TLS", "127.0.0.1:0"), ("WUNDERPROXY_CERTIFICATES", Authority.Certificates));
        _backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await PutAsync();
        Address = IPEndPoint.Parse((await _folder.StatusAsync()).ListeningTls[0]);
    }

    /// <summary>Gives it another snapshot.</summary>
    internal Task PutAsync(Action<ApplicationSnapshot>? change = null) => _folder.PutAsync(_backend.Address, change);

    public async ValueTask DisposeAsync()
    {
        await _proxy!.DisposeAsync();
        await _backend.DisposeAsync();
        Authority.Dispose();
        _folder.Dispose();
    }
}
