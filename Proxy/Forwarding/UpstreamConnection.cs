using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>One connection to an application, and what the standard HTTP client can't do with it: break it off, and send trailers.</summary>
/// <remarks>It is a <see cref="NetworkStream"/> because the client looks after such a stream best: it notices at once when an idle one is closed.</remarks>
internal sealed class UpstreamConnection : NetworkStream
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);
    private static readonly AsyncLocal<Sending?> User = new();

    // Far below what any number of users could bring it back from.
    private const int Closed = int.MinValue / 2;

    private readonly UpstreamConnections _known;
    private byte[]? _trailers;
    private int _users = 1;
    private int _isNew = 1;

    private UpstreamConnection(Socket socket, UpstreamConnections known)
        : base(socket, ownsSocket: true)
    {
        _known = known;
        known.Add(this);
    }

    private static ReadOnlySpan<byte> LastChunk => "0\r\n\r\n"u8;

    /// <summary>Connects to a target.</summary>
    /// <param name="address">The target.</param>
    /// <param name="known">Where the connection is counted in.</param>
    /// <param name="time">Clock of the limit.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="SocketException">It refused, isn't reachable, or didn't answer within 1 s.</exception>
    public static async ValueTask<Stream> ConnectAsync(IPEndPoint address, UpstreamConnections known, TimeProvider time, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var limit = new CancellationTokenSource(ConnectLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await socket.ConnectAsync(address, either.Token);
            return new UpstreamConnection(socket, known);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Names the exchange whose request the calling asynchronous flow is about to send, once: the connection that it writes to becomes known to it.</summary>
    public static void UseFor(Exchange exchange) => User.Value = new Sending(exchange);

    /// <summary>Puts trailers behind the body that is being sent, in chunks, on this connection. To be called when its last byte was sent.</summary>
    /// <param name="trailers">Field lines, each with its line end.</param>
    public void AppendTrailers(byte[] trailers) => _trailers = trailers;

    /// <summary>Breaks the connection off; nothing more is read from it or sent on it.</summary>
    public void Abort() => Socket.Close(0);

    /// <summary>Ends what a request had to do with it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0 && _known.AreClosing)
        {
            CloseIfIdle();
        }
    }

    /// <summary>Closes it if no request runs on it, nor it was just made for one.</summary>
    public void CloseIfIdle()
    {
        if (Interlocked.CompareExchange(ref _users, Closed, 0) == 0)
        {
            Dispose();
        }
    }

    /// <summary>Waits until the application ends the connection, or sends something.</summary>
    /// <returns>Whether it ended the connection and has sent nothing.</returns>
    public async Task<bool> EndsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Socket.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
            return Socket.Available == 0;
        }
        catch (SocketException)
        {
            return true;
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        User.Value?.Through(this);

        // The body was flushed before the trailers were set, so the last chunk comes alone.
        if (_trailers is { } trailers && buffer.Span.SequenceEqual(LastChunk))
        {
            _trailers = null;
            buffer = (byte[])[.. "0\r\n"u8, .. trailers, .. "\r\n"u8];
        }

        return base.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _known.Remove(this);
        base.Dispose(disposing);
    }

    // The request that it was made for is its first user.
    private bool TryUse() => Interlocked.Exchange(ref _isNew, 0) == 1 || Interlocked.Increment(ref _users) > 0;

    /// <summary>A request on its way through one connection.</summary>
    /// <remarks>
    /// The client sends a request without a body again where a kept connection closes before the first byte of the answer, a POST included. The application may
    /// have carried it out by then, so whether anything is repeated is decided by <see cref="RequestHandler"/> alone.
    /// </remarks>
    private sealed class Sending(Exchange exchange)
    {
        private UpstreamConnection? _connection;

        /// <exception cref="HttpRequestException">The request was sent on another connection.</exception>
        /// <exception cref="ClosedWhileIdleException">The connection was closed when nobody used it yet.</exception>
        public void Through(UpstreamConnection connection)
        {
            if (_connection is null)
            {
                exchange.Connection = _connection = connection.TryUse() ? connection : throw new ClosedWhileIdleException();
            }
            else if (_connection != connection)
            {
                throw new HttpRequestException(HttpRequestError.ResponseEnded, "The application closed the connection without an answer.");
            }
        }
    }
}

/// <summary>The connection was closed just when a request was about to use it. Nothing was sent.</summary>
internal sealed class ClosedWhileIdleException() : IOException("The connection was closed while it waited for a request.");
