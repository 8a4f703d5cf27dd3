using System.Net;
using System.Net.Sockets;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Connections to one target. A request takes one that waits on its own loop, the latest used first, or makes another one.</summary>
/// <param name="address">The target.</param>
/// <param name="time">Clock of its limits.</param>
internal sealed class ConnectionPool(IPEndPoint address, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);

    // Application servers close idle connections, the most impatient ones after 5 s. Ours go first, so that no request meets one that is just being closed.
    private const int IdleTicks = 7;

    private readonly Lock _lock = new();
    private readonly HashSet<ApplicationConnection> _all = [];
    private readonly List<ApplicationConnection> _idle = [];
    private ITimer? _sweeping;
    private volatile Limits _limits = new();
    private volatile int _ticks;
    private bool _isClosing;
    private bool _isOver;

    /// <summary>The target.</summary>
    public IPEndPoint Address => address;

    /// <summary>What applies to the requests on its connections.</summary>
    public Limits Limits
    {
        get => _limits;
        set => _limits = value;
    }

    /// <summary>Counts half seconds, while there are connections.</summary>
    public int Ticks => _ticks;

    /// <summary>Connections made so far.</summary>
    public long Made { get; private set; }

    /// <summary>Takes a connection that waits.</summary>
    /// <param name="loop">Where the request runs.</param>
    /// <param name="isProvenAlive">Whether to make sure that the application hasn't just ended it: for requests that can't be sent again.</param>
    /// <returns>Absent: none waits.</returns>
    public ApplicationConnection? TryTake(EventLoop loop, bool isProvenAlive)
    {
        while (TakeIdle(loop) is { } connection)
        {
            if (!connection.Socket.IsEnding && !(isProvenAlive && connection.Socket.IsReadable()))
            {
                return connection;
            }

            Drop(connection);
        }

        return null;
    }

    /// <summary>Makes a connection.</summary>
    /// <exception cref="SocketException">The target refused, isn't reachable, or didn't answer within 1 s.</exception>
    public async ValueTask<ApplicationConnection> ConnectAsync(EventLoop loop)
    {
        var connection = new ApplicationConnection(this, loop, NativeSocket.Connect(address, out var isConnected));
        try
        {
            connection.Socket.Watch(!isConnected);
            if (!isConnected)
            {
                await WaitUntilConnectedAsync(connection.Socket);
            }
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        Add(connection);
        return connection;
    }

    /// <summary>Gives a connection back after its answer has ended.</summary>
    public void Return(ApplicationConnection connection)
    {
        if (!TryKeep(connection))
        {
            Drop(connection);
        }
        else if (EventLoop.Current != connection.Socket.Loop && connection.Socket.IsReadable())
        {
            // The loop may have told of it just before, when it didn't know yet that the connection waits.
            DropIdle(connection);
        }
    }

    /// <summary>Ends a connection that its request has done with.</summary>
    public void Drop(ApplicationConnection connection)
    {
        lock (_lock)
        {
            _all.Remove(connection);
        }

        connection.Dispose();
    }

    /// <summary>Ends a connection if it waits.</summary>
    public void DropIdle(ApplicationConnection connection)
    {
        if (TryTakeOut(connection))
        {
            Drop(connection);
        }
    }

    /// <summary>Ends the connections that wait, and lets none wait any more; those in use end with their requests.</summary>
    public void CloseIdle()
    {
        List<ApplicationConnection> idle;
        lock (_lock)
        {
            _isClosing = true;
            idle = [.. _idle];
        }

        idle.ForEach(DropIdle);
    }

    /// <summary>Ends it, once its last request has ended.</summary>
    public void Dispose()
    {
        CloseIdle();
        lock (_lock)
        {
            _isOver = true;
            _sweeping?.Dispose();
        }
    }

    private bool TryKeep(ApplicationConnection connection)
    {
        lock (_lock)
        {
            if (_isClosing || connection.Socket.IsEnding)
            {
                return false;
            }

            connection.Quiet = default;
            connection.IsIdle = true;
            _idle.Add(connection);
            return true;
        }
    }

    // Whoever takes it out of the pool has it alone.
    private bool TryTakeOut(ApplicationConnection connection)
    {
        lock (_lock)
        {
            if (!connection.IsIdle)
            {
                return false;
            }

            connection.IsIdle = false;
            _idle.Remove(connection);
            return true;
        }
    }

    private ApplicationConnection? TakeIdle(EventLoop loop)
    {
        lock (_lock)
        {
            for (var i = _idle.Count - 1; i >= 0; i--)
            {
                if (_idle[i] is var connection && connection.Socket.Loop == loop)
                {
                    connection.IsIdle = false;
                    connection.Quiet = (connection.Socket.Moves, 0);
                    _idle.RemoveAt(i);
                    return connection;
                }
            }

            return null;
        }
    }

    private void Add(ApplicationConnection connection)
    {
        lock (_lock)
        {
            Made++;
            _all.Add(connection);
            if (!_isOver)
            {
                _sweeping ??= time.CreateTimer(static pool => ((ConnectionPool)pool!).Sweep(), this, Tick, Tick);
            }
        }
    }

    private async ValueTask WaitUntilConnectedAsync(LoopSocket socket)
    {
        await using var limit = time.CreateTimer(static end => ((ConnectDeadline)end!).Pass(), new ConnectDeadline(socket), ConnectLimit, Timeout.InfiniteTimeSpan);
        try
        {
            await socket.WaitUntilConnectedAsync();
        }
        catch (IOException)
        {
            throw new SocketException((int)SocketError.TimedOut);
        }
    }

    private void Sweep()
    {
        List<ApplicationConnection>? stale = null;
        _ticks++;
        lock (_lock)
        {
            foreach (var connection in _all)
            {
                LookForMoves(connection);
                if (IsStale(connection))
                {
                    (stale ??= []).Add(connection);
                }
            }
        }

        stale?.ForEach(EndStale);
    }

    // It comes on the loop behind what has happened by then: where the loop was kept from running, a connection that is there isn't late.
    private sealed class ConnectDeadline(LoopSocket socket) : ISocketEvents
    {
        public void Pass() => socket.Loop.End(this);

        public void On(SocketEvents events)
        {
            if (socket.IsConnecting)
            {
                socket.Abort();
            }
        }
    }

    private static void LookForMoves(ApplicationConnection connection)
    {
        var (moves, ticks) = connection.Quiet;
        connection.Quiet = moves == connection.Socket.Moves ? (moves, ticks + 1) : (connection.Socket.Moves, 0);
    }

    private bool IsStale(ApplicationConnection connection) => connection.IsIdle
        ? connection.Quiet.Ticks >= IdleTicks
        : connection.AwaitedSince is { } since
            ? _ticks - since > TicksIn(Limits.AnswerTimeout)
            : connection.Quiet.Ticks >= TicksIn(Limits.IdleTimeout);

    private static int TicksIn(TimeSpan limit) => (int)(limit / Tick);

    private void EndStale(ApplicationConnection connection)
    {
        if (TryTakeOut(connection))
        {
            Drop(connection);
        }
        else
        {
            connection.Socket.Loop.End(new Deadline(this, connection));
        }
    }

    private bool IsStillStale(ApplicationConnection connection)
    {
        lock (_lock)
        {
            LookForMoves(connection);
            return !connection.IsIdle && IsStale(connection);
        }
    }

    // It comes on the loop, on which the answer may have just come, or the next request begun.
    private sealed class Deadline(ConnectionPool pool, ApplicationConnection connection) : ISocketEvents
    {
        public void On(SocketEvents events)
        {
            if (pool.IsStillStale(connection))
            {
                connection.HasTakenTooLong = true;
                connection.Socket.Abort();
            }
        }
    }
}
