using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A client's connection as Kestrel sees it.</summary>
internal sealed class ClientTransport : ConnectionContext, IDuplexPipe, ISocketEvents
{
    private static readonly TimeSpan LingerLimit = TimeSpan.FromSeconds(2);
    private static long lastId;

    private readonly LoopSocket _socket;
    private readonly SocketReader _input;
    private readonly SocketWriter _output;
    private readonly TimeProvider _time;
    private readonly Action _onEnd;
    private readonly CancellationTokenSource _closed = new();
    private string? _id;
    private IDictionary<object, object?>? _items;
    private LoopSocket? _follower;
    private int _isClosed;

    /// <param name="loop">Where it waits.</param>
    /// <param name="socket">The connection, which belongs to this from now on.</param>
    /// <param name="remote">Where the client comes from; absent: a Unix socket.</param>
    /// <param name="time">Clock of how long closing may take.</param>
    /// <param name="onEnd">Called when the connection has ended.</param>
    public ClientTransport(EventLoop loop, NativeSocket socket, IPEndPoint? remote, TimeProvider time, Action onEnd)
    {
        _socket = new LoopSocket(loop, socket, this);
        _input = new SocketReader(_socket);
        _output = new SocketWriter(_socket);
        _time = time;
        _onEnd = onEnd;
        RemoteEndPoint = remote;
        ConnectionClosed = _closed.Token;
        Features.Set(this);
    }

    /// <inheritdoc/>
    public PipeReader Input => _input;

    /// <inheritdoc/>
    public PipeWriter Output => _output;

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => this;
        set => throw new NotSupportedException("Nothing stands between Kestrel and the connection.");
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref lastId).ToString(CultureInfo.InvariantCulture);
        set => _id = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection(8);

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    /// <summary>The loop.</summary>
    public EventLoop Loop => _socket.Loop;

    /// <summary>Whether the client is gone.</summary>
    public bool IsClosed => Volatile.Read(ref _isClosed) == 1;

    /// <summary>Begins to watch for what the client sends.</summary>
    /// <exception cref="IOException">The kernel can't watch any more.</exception>
    public void Watch() => _socket.Watch();

    /// <summary>Aborts a connection when the client leaves, or at once if it has left.</summary>
    /// <param name="follower">The connection; absent: none any more.</param>
    public void EndsToo(LoopSocket? follower)
    {
        Volatile.Write(ref _follower, follower);
        Interlocked.MemoryBarrier();
        if (IsClosed)
        {
            follower?.Abort();
        }
    }

    /// <inheritdoc/>
    public void On(SocketEvents events)
    {
        if ((events & (SocketEvents.Ended | SocketEvents.Failed)) != 0 || ((events & SocketEvents.OtherSideEnded) != 0 && _socket.IsAtEnd()))
        {
            Close();
        }
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        _socket.ResetOnClose();
        _socket.Abort();
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _input.CompleteAsync();
        await _output.CompleteAsync();
        if (!_socket.IsAborted && _socket.MayHaveUnread())
        {
            await LingerAsync();
        }

        _socket.Dispose();
        Close();
        _closed.Dispose();
        _onEnd();
        await base.DisposeAsync();
    }

    private void Close()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            Volatile.Read(ref _follower)?.Abort();
            _closed.Cancel();
        }
    }

    // Closing while bytes are unread would break the connection off, and the client might lose the end of its answer.
    private async Task LingerAsync()
    {
        _socket.ShutDownSending();
        await using var limit = _time.CreateTimer(static socket => ((LoopSocket)socket!).Abort(), _socket, LingerLimit, Timeout.InfiniteTimeSpan);
        var scrap = new byte[4096];
        try
        {
            while (_socket.Receive(scrap) is var received and not 0)
            {
                if (received == NativeSocket.WouldBlock)
                {
                    await _socket.WaitUntilReadableAsync();
                }
            }
        }
        catch (IOException)
        {
            // It is broken off, by the client or because its time is over.
        }
    }
}
