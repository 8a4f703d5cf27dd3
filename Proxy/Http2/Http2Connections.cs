using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.Proxy.Http2;

/// <summary>Connections of HTTP/2 to one target, made by the standard client. Requests share them; another one is made where all have as many streams as the application takes.</summary>
internal sealed class Http2Connections : IDisposable
{
    // Of an answer that its client doesn't take, this much is held for each stream.
    private const int StreamWindow = 256 << 10;

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);

    // For lost peers. Servers of gRPC end a connection on which they are asked more often than each 5 min.
    private static readonly TimeSpan PingPause = TimeSpan.FromSeconds(310);
    private static readonly TimeSpan PingLimit = TimeSpan.FromSeconds(20);

    private static readonly HttpRequestOptionsKey<long> SentAt = new("SentAt");

    private readonly IPEndPoint _address;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _client;
    private volatile Failure? _latestFailure;

    /// <param name="address">The target.</param>
    /// <param name="time">Clock of how long connecting may take.</param>
    public Http2Connections(IPEndPoint address, TimeProvider time)
    {
        _address = address;
        _time = time;
        _client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = StreamWindow,
            KeepAlivePingDelay = PingPause,
            KeepAlivePingTimeout = PingLimit,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        });
    }

    /// <summary>Sends a request.</summary>
    /// <returns>The answer, once its head has come; the request's body may still be on its way.</returns>
    /// <exception cref="HttpRequestException">The application can't be reached, or has given no answer.</exception>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Options.Set(SentAt, _time.GetTimestamp());
        return _client.SendAsync(request, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    // The client connects for one waiting request after another. Those that have waited for a connection that couldn't be made needn't wait for their own turn.
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (_latestFailure is { } failure && context.InitialRequestMessage.Options.TryGetValue(SentAt, out var sent) && sent <= failure.At)
        {
            throw new SocketException((int)failure.Error);
        }

        try
        {
            return await ConnectAsync(cancellationToken);
        }
        catch (SocketException e)
        {
            _latestFailure = new Failure(_time.GetTimestamp(), e.SocketErrorCode);
            throw;
        }
    }

    private async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(ConnectLimit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var socket = new Socket(_address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_address, either.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception e)
        {
            socket.Dispose();
            throw e is OperationCanceledException && limit.IsCancellationRequested ? new SocketException((int)SocketError.TimedOut) : e;
        }
    }

    private sealed record Failure(long At, SocketError Error);
}
