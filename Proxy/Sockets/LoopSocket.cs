using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A connected socket on an event loop: receives and sends without blocking, and waits for what can't be done at once.</summary>
/// <remarks>
/// One caller at a time receives, and one sends. Any thread may abort it: whoever uses it then meets an <see cref="IOException"/>, and the owner disposes it.
/// A receive that got less than it had room for has emptied the socket, so the next one isn't tried before the loop says that there is more.
/// </remarks>
internal sealed class LoopSocket : ISocketEvents, IDisposable
{
    private const SocketEvents Reading = SocketEvents.Readable | SocketEvents.OtherSideEnded | SocketEvents.OnChange;

    private readonly EventLoop _loop;
    private readonly NativeSocket _socket;
    private volatile ISocketEvents? _follower;
    private readonly Readiness _readable = new();
    private readonly Readiness _writable = new();
    private long _key;
    private bool _isEmptied;
    private bool _isWatchedForRoom;
    private volatile bool _isConnecting;
    private volatile bool _isEnding;
    private volatile bool _isAborted;

    /// <param name="loop">Where it waits.</param>
    /// <param name="socket">The socket, which belongs to this from now on.</param>
    /// <param name="follower">Told of its events before whoever waits for them.</param>
    public LoopSocket(EventLoop loop, NativeSocket socket, ISocketEvents? follower = null)
    {
        _loop = loop;
        _socket = socket;
        _follower = follower;
    }

    /// <summary>The loop.</summary>
    public EventLoop Loop => _loop;

    /// <summary>Whether the other side has ended its stream or the connection is broken; bytes may be left to read.</summary>
    public bool IsEnding => _isEnding;

    /// <summary>Whether nothing can be received before the loop has said so.</summary>
    public bool IsEmptied => _isEmptied && !_isEnding;

    /// <summary>Whether it was aborted.</summary>
    public bool IsAborted => _isAborted;

    /// <summary>Whether it is still being connected, as far as the loop was told; whoever waits for that may not have got to know yet.</summary>
    public bool IsConnecting => _isConnecting;

    /// <summary>Counts receives and sends, for whoever looks for connections on which nothing moves.</summary>
    public uint Moves { get; private set; }

    /// <summary>Begins to watch it.</summary>
    /// <param name="isConnecting">Whether it has still to be connected: <see cref="WaitUntilConnectedAsync"/>.</param>
    /// <exception cref="IOException">The kernel can't watch any more.</exception>
    public void Watch(bool isConnecting = false)
    {
        _isWatchedForRoom = isConnecting;
        _isConnecting = isConnecting;
        _key = _loop.Watch(_socket, this, isConnecting ? Reading | SocketEvents.Writable : Reading);
    }

    /// <summary>Tells another one of its events from now on, those that hold now included.</summary>
    /// <exception cref="IOException">It was closed.</exception>
    public void Follow(ISocketEvents follower)
    {
        _follower = follower;
        _loop.Change(_socket, _key, _isWatchedForRoom ? Reading | SocketEvents.Writable : Reading);
    }

    /// <inheritdoc/>
    public void On(SocketEvents events)
    {
        if ((events & (SocketEvents.Writable | SocketEvents.Failed)) != 0)
        {
            _isConnecting = false;
        }

        if ((events & (SocketEvents.OtherSideEnded | SocketEvents.Ended | SocketEvents.Failed)) != 0)
        {
            _isEnding = true;
        }

        _follower?.On(events);
        if ((events & ~SocketEvents.Writable) != 0)
        {
            _readable.Signal();
        }

        if ((events & ~(SocketEvents.Readable | SocketEvents.OtherSideEnded)) != 0)
        {
            _writable.Signal();
        }
    }

    /// <summary>Receives what is there.</summary>
    /// <returns>0: the other side has ended its stream. <see cref="NativeSocket.WouldBlock"/>: nothing is there; see <see cref="WaitUntilReadableAsync"/>.</returns>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public int Receive(Span<byte> buffer)
    {
        ThrowIfAborted();
        if (IsEmptied)
        {
            return NativeSocket.WouldBlock;
        }

        try
        {
            var received = _socket.Receive(buffer);
            _isEmptied = received < buffer.Length;
            Moves++;
            return received;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Receives what is there into the loop's pipe, on the loop's thread.</summary>
    /// <param name="count">Bytes that are wanted, up to <see cref="KernelPipe.Capacity"/>.</param>
    /// <returns>As <see cref="Receive"/>.</returns>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public int ReceiveIntoPipe(int count)
    {
        ThrowIfAborted();
        if (IsEmptied)
        {
            return NativeSocket.WouldBlock;
        }

        try
        {
            var received = _loop.Pipe.Fill(_socket, count);
            _isEmptied = received == NativeSocket.WouldBlock;
            Moves++;
            return received;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Sends what is in the loop's pipe, as much of it as can be sent without waiting, on the loop's thread.</summary>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public void SendFromPipe()
    {
        try
        {
            while (_loop.Pipe.Count > 0 && _loop.Pipe.Empty(_socket) != NativeSocket.WouldBlock)
            {
                Moves++;
                ThrowIfAborted();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Waits until receiving is worth another try.</summary>
    public ValueTask WaitUntilReadableAsync()
    {
        _isEmptied = false;
        return _readable.WaitAsync();
    }

    /// <inheritdoc cref="NativeSocket.Unread"/>
    public int Unread
    {
        get
        {
            try
            {
                return _socket.Unread;
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
        }
    }

    /// <inheritdoc cref="NativeSocket.WakeAt"/>
    public void WakeAt(int unread) => _socket.WakeAt(unread);

    /// <summary>Makes a receive that waits, or the next one that would, look again at why it waits.</summary>
    public void WakeReceiver() => _readable.Signal();

    /// <summary>Sends everything.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="isMoreComing">Whether the next send follows at once.</param>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, bool isMoreComing = false)
    {
        var sent = Send(bytes.Span, isMoreComing);
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[sent..], isMoreComing);
    }

    /// <summary>Waits until it is connected.</summary>
    /// <exception cref="SocketException">It couldn't be connected.</exception>
    /// <exception cref="IOException">It was aborted.</exception>
    public async ValueTask WaitUntilConnectedAsync()
    {
        await _writable.WaitAsync();
        ThrowIfAborted();
        _socket.ThrowIfNotConnected();
        _isEnding = false;
    }

    /// <summary>Whether bytes, the end or a failure can be read now.</summary>
    public bool IsReadable() => _isEnding || _socket.IsReadable();

    /// <summary>Whether the other side has ended its stream, and all before it was read.</summary>
    public bool IsAtEnd() => _socket.IsAtEnd();

    /// <summary>Looks at what can be received, and leaves it there.</summary>
    /// <returns>Bytes seen; none: nothing is there, or nothing comes any more.</returns>
    public int Peek(Span<byte> buffer) => _socket.Peek(buffer);

    /// <summary>Makes whoever uses it, or will, meet an <see cref="IOException"/>, on the loop's thread where it waits.</summary>
    public void Abort()
    {
        _isAborted = true;
        _loop.End(this);
    }

    /// <summary>Whether bytes of the other side may be left that nobody has read, so that closing would break the connection off.</summary>
    public bool MayHaveUnread() => !_isEmptied || _isEnding;

    /// <summary>Ends the stream towards the other side.</summary>
    public void ShutDownSending() => _socket.ShutDownSending();

    /// <summary>Makes closing break the connection off.</summary>
    public void ResetOnClose()
    {
        try
        {
            _socket.ResetOnClose();
        }
        catch (ObjectDisposedException)
        {
            // It has just been closed.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Forget(_key);
        _socket.Dispose();
    }

    /// <summary>Sends as much as can be sent without waiting.</summary>
    /// <returns>Bytes sent; for the others see <see cref="SendRestAsync"/>.</returns>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public int Send(ReadOnlySpan<byte> bytes, bool isMoreComing = false)
    {
        var sent = 0;
        while (sent < bytes.Length)
        {
            ThrowIfAborted();
            var count = SendOnce(bytes[sent..], isMoreComing);
            if (count == NativeSocket.WouldBlock)
            {
                break;
            }

            Moves++;
            sent += count;
        }

        return sent;
    }

    private int SendOnce(ReadOnlySpan<byte> bytes, bool isMoreComing)
    {
        try
        {
            return _socket.Send(bytes, isMoreComing);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>Waits until there is room again, and sends what <see cref="Send"/> has left.</summary>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes, bool isMoreComing = false)
    {
        while (!bytes.IsEmpty)
        {
            await WaitForRoomAsync();
            bytes = bytes[Send(bytes.Span, isMoreComing)..];
        }
    }

    /// <summary>Waits until sending is worth another try, after one that found no room.</summary>
    public ValueTask WaitForRoomAsync()
    {
        WatchForRoom();
        return _writable.WaitAsync();
    }

    /// <summary>Makes a send that waits, or the next one that would, look again at why it waits.</summary>
    public void WakeSender() => _writable.Signal();

    // Once asked for, it is told each time that there is room again; asking tells it at once where there is room already.
    private void WatchForRoom()
    {
        if (!_isWatchedForRoom)
        {
            _isWatchedForRoom = true;
            _loop.Change(_socket, _key, Reading | SocketEvents.Writable);
        }
    }

    private void ThrowIfAborted()
    {
        if (_isAborted)
        {
            throw new IOException("The connection was broken off.");
        }
    }
}
