using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>A client that takes whatever certificate it is shown.</summary>
[SuppressMessage("Security", "CA5359", Justification = "Tests look at what is shown, and validators are shown what nobody trusts.")]
internal sealed class SecureClient : IAsyncDisposable
{
    private readonly SslStream _tls;
    private readonly string _host;

    private SecureClient(SslStream tls, string host) => (_tls, _host) = (tls, host);

    public X509Certificate2 Shown => (X509Certificate2)_tls.RemoteCertificate!;

    public SslApplicationProtocol Protocol => _tls.NegotiatedApplicationProtocol;

    public static async Task<SecureClient> ConnectAsync(IPEndPoint address, string host, params SslApplicationProtocol[] protocols)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                ApplicationProtocols = [.. protocols],
                RemoteCertificateValidationCallback = static (_, _, _, _) => true,
            }).WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
            return new SecureClient(tls, host);
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks, and reads what comes first.</summary>
    public async Task<string> AskAsync()
    {
        await _tls.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {_host}\r\n\r\n"));
        var buffer = new byte[16 << 10];
        return Encoding.ASCII.GetString(buffer, 0, await _tls.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System));
    }

    /// <summary>Bytes until the Proxy ends the connection.</summary>
    public async Task<int> ReadAsync(byte[] buffer) => await _tls.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);

    public ValueTask DisposeAsync() => _tls.DisposeAsync();
}
