namespace Wunderproxy.Controller.ProxyClient;

/// <summary>A connection to the Proxy's control socket: for one change, or kept for everything that is read.</summary>
/// <remarks>
/// That of a change is never opened twice: <see cref="HttpClient"/> repeats a request, a change included, where a connection closes without
/// an answer. Then nobody could tell whether a refused fence is refused because of its own first attempt.
/// </remarks>
internal sealed class ControlConnection : IDisposable
{
    /// <summary>Larger answers are refused.</summary>
    public const int AnswerCapBytes = 1 << 20;

    private readonly string _socketPath;
    private readonly bool _isKept;

    public ControlConnection(string socketPath, bool isKept)
    {
        _socketPath = socketPath;
        _isKept = isKept;
        var handler = new SocketsHttpHandler { ConnectCallback = ConnectAsync, AllowAutoRedirect = false, UseCookies = false, UseProxy = false };

        // No timeout of its own: every call has a deadline.
        Http = new HttpClient(handler)
        {
            BaseAddress = new Uri("http://proxy"),
            MaxResponseContentBufferSize = AnswerCapBytes,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public HttpClient Http { get; }

    /// <summary>Whether the Proxy took the connection, the latest one where there were several. If not, nothing was sent.</summary>
    public bool IsConnected { get; private set; }

    public void Dispose() => Http.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (IsConnected && !_isKept)
        {
            throw new IOException("The connection was closed without an answer.");
        }

        IsConnected = false;
        var stream = await SocketStream.ConnectAsync(_socketPath, cancellationToken);
        IsConnected = true;
        return stream;
    }
}
