using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Takes clients on one address, on whichever loop has time.</summary>
/// <remarks>
/// Where no client can be taken, for lack of descriptors or memory, it pauses: those who come wait in the kernel's queue. Asking on and on would
/// take a whole core, and giving up would take the service away for good. Kestrel keeps some kilobytes for each connection, so it knows only those on which
/// something has moved of late; the others rest here, with little more than their sockets.
/// </remarks>
internal sealed class ClientListener : IConnectionListener
{
    private const int Backlog = 4096;
    private const int AtOnce = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(130);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly ClientConnections _clients;
    private readonly ITimer _looking;
    private readonly ConcurrentDictionary<ClientTransport, long> _open = new();
    private readonly Channel<ConnectionContext> _accepted =
        Channel.CreateUnbounded<ConnectionContext>(new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = true });

    private readonly List<Door> _doors = [];
    private volatile bool _isOver;

    /// <param name="socket">Bound to the address; belongs to this from now on.</param>
    /// <param name="loops">Where clients are taken.</param>
    /// <param name="time">Clock of the pauses.</param>
    /// <param name="clients">Counts clients, and says how many are taken.</param>
    public ClientListener(Socket socket, IReadOnlyList<EventLoop> loops, TimeProvider time, ClientConnections clients)
    {
        _socket = socket;
        _time = time;
        _clients = clients;
        socket.Blocking = false;
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            // Clients' connections inherit it.
            socket.NoDelay = true;
        }

        socket.Listen(Backlog);
        EndPoint = socket.LocalEndPoint!;
        _looking = time.CreateTimer(static listener => ((ClientListener)listener!).Look(), this, LookInterval, LookInterval);
        _doors.AddRange(loops.Select(loop => new Door(this, loop)));
    }

    /// <inheritdoc/>
    public EndPoint EndPoint { get; }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_accepted.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _isOver = true;
        await _looking.DisposeAsync();
        _doors.ForEach(door => door.Close());
        _socket.Dispose();
        _accepted.Writer.TryComplete();
        foreach (var (transport, _) in _open)
        {
            await EndSilentAsync(transport);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        while (_accepted.Reader.TryRead(out var connection))
        {
            await connection.DisposeAsync();
        }
    }

    private void Take(EventLoop loop)
    {
        for (var i = 0; i < AtOnce && NativeSocket.Accept(_socket.SafeHandle, out var remote) is { } client; i++)
        {
            if (_clients.TryEnter(remote?.Address) is { } counted)
            {
                Take(new ClientTransport(loop, client, remote, counted, _time));
            }
            else
            {
                client.Dispose();
            }
        }
    }

    // Kestrel gets to know it when there is something to read.
    private void Take(ClientTransport transport, bool isAnew = false)
    {
        _open[transport] = _time.GetTimestamp();
        try
        {
            transport.Watch(isAnew, HandOver, Ended);
        }
        catch (IOException)
        {
            _ = EndSilentAsync(transport).AsTask();
            throw;
        }

        if (_isOver)
        {
            _ = EndSilentAsync(transport).AsTask();
        }
    }

    private void HandOver(ClientTransport transport)
    {
        if (transport.TryBecomeKnown() && (transport.IsClosed || !_accepted.Writer.TryWrite(transport)))
        {
            transport.Abort(new ConnectionAbortedException("The client has left, or the Proxy takes no more."));
            _ = transport.DisposeAsync().AsTask();
        }
    }

    private void Ended(ClientTransport transport)
    {
        _open.TryRemove(transport, out _);
        if (transport.IsResting)
        {
            TakeAgain(transport);
        }
    }

    private void TakeAgain(ClientTransport former)
    {
        try
        {
            Take(new ClientTransport(former), isAnew: true);
        }
        catch (IOException)
        {
            // It was closed meanwhile.
        }
    }

    private void Look()
    {
        foreach (var (transport, since) in _open)
        {
            transport.RestIfQuiet();
            if (_time.GetElapsedTime(since) >= SilenceLimit)
            {
                _ = EndSilentAsync(transport).AsTask();
            }
        }
    }

    private static ValueTask EndSilentAsync(ClientTransport transport) => transport.TryBecomeKnown() ? transport.DisposeAsync() : ValueTask.CompletedTask;

    /// <summary>The listening socket on one loop.</summary>
    private sealed class Door : ISocketEvents
    {
        private readonly ClientListener _listener;
        private readonly EventLoop _loop;
        private readonly ITimer _pause;
        private readonly long _key;

        public Door(ClientListener listener, EventLoop loop)
        {
            _listener = listener;
            _loop = loop;
            _pause = listener._time.CreateTimer(static door => ((Door)door!).Open(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _key = loop.Watch(listener._socket.SafeHandle, this, SocketEvents.Readable);
        }

        public void On(SocketEvents events)
        {
            try
            {
                _listener.Take(_loop);
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                Shut();
            }
            catch (ObjectDisposedException)
            {
                // Closed meanwhile.
            }
        }

        public void Close()
        {
            _pause.Dispose();
            _loop.Forget(_key);
        }

        private void Shut()
        {
            _loop.Change(_listener._socket.SafeHandle, _key, SocketEvents.None);
            _pause.Change(Pause, Timeout.InfiniteTimeSpan);
        }

        private void Open()
        {
            try
            {
                _loop.Change(_listener._socket.SafeHandle, _key, SocketEvents.Readable);
            }
            catch (Exception e) when (e is ObjectDisposedException or IOException)
            {
                // Closed meanwhile.
            }
        }
    }
}
