using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The standard client, over HTTP/2 by prior knowledge and nothing else; text is Latin-1.</summary>
internal sealed class Http2Client : IDisposable
{
    private readonly HttpClient _client;
    private int _connections;

    public Http2Client(IPEndPoint address)
    {
        _client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => ConnectAsync(address, cancellationToken),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        })
        {
            BaseAddress = new Uri($"http://{address}"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(10),
        };
    }

    /// <summary>Connections that it has made so far.</summary>
    public int Connections => _connections;

    public async Task<string> GetAsync(string path)
    {
        using var answer = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken = default) =>
        SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);

    /// <summary>Sends a request, and reads nothing of the answer but its head.</summary>
    public Task<HttpResponseMessage> BeginAsync(HttpRequestMessage request) => SendAsync(request, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption until, CancellationToken cancellationToken)
    {
        (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        return _client.SendAsync(request, until, cancellationToken);
    }

    public void Dispose() => _client.Dispose();

    private async ValueTask<Stream> ConnectAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _connections);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address, cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
