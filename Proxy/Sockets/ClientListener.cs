using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Takes clients on one address, on whichever loop has time, and serves them there.</summary>
/// <remarks>
/// Where no client can be taken, for lack of descriptors or memory, it pauses: those who come wait in the kernel's queue. Asking on and on would
/// take a whole core, and giving up would take the service away for good. Kestrel keeps some kilobytes for each connection, so it knows only those on which
/// something has moved of late; the others rest here, with little more than their sockets.
/// </remarks>
internal sealed partial class ClientListener : IAsyncDisposable
{
    private const int Backlog = 4096;
    private const int AtOnce = 16;
    private const int NotSentLowWater = 25;

    // Else the kernel keeps megabytes for a client that is slow, and says that there is room again after a third of them only: a client that takes 10 kB/s seemed to take nothing for a minute.
    private const int Unsent = 64 << 10;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(130);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BeatInterval = TimeSpan.FromSeconds(1);

    // So many beat together at least; where there are more the portions are over before the next beat.
    private const int BeatTogether = 64;
    private const int BeatPortions = 32;
    private static readonly TimeSpan BeatPause = BeatInterval / (BeatPortions + 8);
    private static readonly TimeSpan AbortLimit = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly IReadOnlyList<EventLoop> _loops;
    private readonly TimeProvider _time;
    private readonly ClientConnections _clients;
    private readonly ILogger<ClientListener> _logger;
    private readonly ConcurrentDictionary<ClientTransport, long> _open = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Door> _doors = [];
    private ConnectionDelegate _serve = null!;
    private IFeatureCollection _ground = null!;
    private ITimer? _looking;
    private ITimer? _beating;
    private bool _isBeating;
    private volatile bool _isOver;

    /// <param name="socket">Bound to the address; belongs to this from now on.</param>
    /// <param name="loops">Where clients are taken.</param>
    /// <param name="time">Clock of the pauses.</param>
    /// <param name="clients">Counts clients, and says how many are taken.</param>
    /// <param name="logger">Where it is told that serving a client failed.</param>
    public ClientListener(Socket socket, IReadOnlyList<EventLoop> loops, TimeProvider time, ClientConnections clients, ILogger<ClientListener> logger)
    {
        _socket = socket;
        _loops = loops;
        _time = time;
        _clients = clients;
        _logger = logger;
        socket.Blocking = false;
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            // Clients' connections inherit both.
            socket.NoDelay = true;
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, NotSentLowWater, BitConverter.GetBytes(Unsent));
        }

        socket.Listen(Backlog);
        EndPoint = socket.LocalEndPoint!;
    }

    /// <summary>Where it listens.</summary>
    public EndPoint EndPoint { get; }

    /// <summary>Begins to take clients. Those who came before wait in the kernel's queue.</summary>
    /// <param name="serve">Serves a connection until it ends. Called on its loop's thread, in which nothing may block.</param>
    /// <param name="ground">What every connection has of features besides its own.</param>
    public void Begin(ConnectionDelegate serve, IFeatureCollection ground)
    {
        lock (_doors)
        {
            if (!_isOver)
            {
                Open(serve, ground);
            }
        }
    }

    private void Open(ConnectionDelegate serve, IFeatureCollection ground)
    {
        (_serve, _ground) = (serve, ground);
        _looking = _time.CreateTimer(static listener => ((ClientListener)listener!).Look(), this, LookInterval, LookInterval);
        _beating = _time.CreateTimer(static listener => _ = ((ClientListener)listener!).BeatAsync(), this, BeatInterval, BeatInterval);
        _doors.AddRange(_loops.Select(loop => new Door(this, loop)));
    }

    /// <summary>Takes no client any more, closes the connections on which nothing was sent, and asks whoever serves the others to end them.</summary>
    public async ValueTask CloseAsync()
    {
        lock (_doors)
        {
            _isOver = true;
            _doors.ForEach(door => door.Close());
        }

        _socket.Dispose();
        foreach (var (transport, _) in _open)
        {
            await EndSilentAsync(transport);
        }

        await _closing.CancelAsync();
        NoteEnd();
    }

    /// <summary>Closes it, and waits until all connections have ended.</summary>
    /// <param name="cancellationToken">Breaks off those that are left.</param>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await CloseAsync();
        try
        {
            await _allEnded.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await AbortAllAsync();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await (_looking?.DisposeAsync() ?? default);
        await (_beating?.DisposeAsync() ?? default);
    }

    private void Take(EventLoop loop)
    {
        for (var i = 0; i < AtOnce && NativeSocket.Accept(_socket.SafeHandle, out var remote) is { } client; i++)
        {
            if (_clients.TryEnter(remote?.Address) is { } counted)
            {
                Take(new ClientTransport(loop, client, remote, counted, _time) { Ground = _ground, ConnectionClosedRequested = _closing.Token });
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
            transport.Watch(isAnew, Begin, Ended);
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

    private void Begin(ClientTransport transport)
    {
        if (transport.TryBecomeKnown())
        {
            _ = ServeAsync(transport);
        }
    }

    // One who has left without a word needs no service.
    private async Task ServeAsync(ClientTransport transport)
    {
        try
        {
            await (transport.IsClosed ? Task.CompletedTask : _serve(transport));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailure(e);
        }

        await transport.DisposeAsync();
    }

    private void Ended(ClientTransport transport)
    {
        _open.TryRemove(transport, out _);
        if (transport.IsResting)
        {
            TakeAgain(transport);
        }

        NoteEnd();
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

    // Whoever serves a connection looks at its limits of time at each beat. Those that came together are over them together, and to end a thousand at once takes so long that all others notice.
    private async Task BeatAsync()
    {
        if (Interlocked.Exchange(ref _isBeating, true))
        {
            return;
        }

        try
        {
            var portion = Math.Max(BeatTogether, _open.Count / BeatPortions);
            var beaten = 0;
            foreach (var (transport, _) in _open)
            {
                transport.Beat();
                if (++beaten % portion == 0)
                {
                    await Task.Delay(BeatPause, _time, CancellationToken.None);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _isBeating, false);
        }
    }

    private void NoteEnd()
    {
        if (_isOver && _open.IsEmpty)
        {
            _allEnded.TrySetResult();
        }
    }

    private async Task AbortAllAsync()
    {
        foreach (var (transport, _) in _open)
        {
            transport.Abort(new ConnectionAbortedException("The Proxy stops, and its time is over."));
        }

        try
        {
            await _allEnded.Task.WaitAsync(AbortLimit, _time, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            LogLeft(_open.Count);
        }
    }

    [LoggerMessage(450, LogLevel.Error, "Serving a client failed unexpectedly; its connection was closed")]
    private partial void LogFailure(Exception failure);

    [LoggerMessage(451, LogLevel.Warning, "{Count} connections haven't ended 5 s after they were broken off")]
    private partial void LogLeft(int count);

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
