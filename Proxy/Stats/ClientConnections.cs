using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts the clients' connections by what they are doing.</summary>
/// <param name="limit">How many there can be.</param>
internal sealed class ClientConnections(DescriptorLimit limit)
{
    private static readonly string[] Names = ["new", "active", "idle", "upgraded"];

    private readonly long[] _counts = new long[Names.Length];
    private readonly Lock _lock = new();
    private readonly HashSet<ClientConnection> _open = [];
    private long _total;

    /// <summary>Counts by the names of the states.</summary>
    public IReadOnlyDictionary<string, long> Report() =>
        Names.Select((name, i) => (name, Count: Volatile.Read(ref _counts[i]))).ToDictionary(pair => pair.name, pair => pair.Count);

    /// <summary>Counts a new connection in.</summary>
    /// <returns>Absent: there are as many as can be.</returns>
    public ClientConnection? TryEnter()
    {
        if (Interlocked.Increment(ref _total) <= limit.MaxConnections)
        {
            var connection = new ClientConnection(this);
            lock (_lock)
            {
                _open.Add(connection);
            }

            return connection;
        }

        Interlocked.Decrement(ref _total);
        return null;
    }

    /// <summary>Counts a connection out.</summary>
    public void Leave(ClientConnection connection, ClientConnectionState state)
    {
        lock (_lock)
        {
            _open.Remove(connection);
        }

        Move(state, null);
    }

    /// <summary>Claims of the requests that run.</summary>
    public IReadOnlyList<Claim> Running()
    {
        lock (_lock)
        {
            return [.. _open.SelectMany(connection => connection.Claims())];
        }
    }

    /// <summary>Counts in a request that runs beside others of its connection: it may need a connection to the application, as a client does.</summary>
    /// <returns>Whether there is room; if so, <see cref="LeaveBeside"/> follows.</returns>
    public bool TryEnterBeside()
    {
        var hasRoom = Interlocked.Increment(ref _total) <= limit.MaxConnections;
        if (!hasRoom)
        {
            LeaveBeside();
        }

        return hasRoom;
    }

    /// <summary>Counts such a request out.</summary>
    public void LeaveBeside() => Interlocked.Decrement(ref _total);

    /// <summary>Counts a connection from one state to another; absent: it begins or ends.</summary>
    public void Move(ClientConnectionState? from, ClientConnectionState? to)
    {
        if (from is { } left)
        {
            Interlocked.Decrement(ref _counts[(int)left]);
        }

        if (to is { } entered)
        {
            Interlocked.Increment(ref _counts[(int)entered]);
        }
        else
        {
            Interlocked.Decrement(ref _total);
        }
    }
}

/// <summary>What a client's connection is doing.</summary>
internal enum ClientConnectionState
{
    /// <summary>It has sent no request yet.</summary>
    New,

    /// <summary>One request is running, or several.</summary>
    Active,

    /// <summary>Between two requests.</summary>
    Idle,

    /// <summary>It was upgraded, such as to a WebSocket.</summary>
    Upgraded,
}

/// <summary>One connection of a client; a feature of its requests. Those of HTTP/1.1 follow one another; of HTTP/2 several run at once.</summary>
internal sealed class ClientConnection
{
    private readonly ClientConnections _counts;
    private readonly Lock _lock = new();
    private int _requests;
    private int _beside;
    private bool _hasLeft;
    private ClientConnectionState _state = ClientConnectionState.New;
    private Claim? _claim;
    private List<Claim>? _furtherClaims;

    /// <param name="counts">Where it is counted.</param>
    public ClientConnection(ClientConnections counts)
    {
        _counts = counts;
        counts.Move(null, _state);
    }

    /// <summary>Whether it is between two requests.</summary>
    public bool IsIdle => _state == ClientConnectionState.Idle;

    /// <summary>The holds that its requests have on targets.</summary>
    public IReadOnlyList<Claim> Claims()
    {
        lock (_lock)
        {
            return [.. _furtherClaims ?? [], .. _claim is { } claim ? [claim] : Array.Empty<Claim>()];
        }
    }

    /// <summary>Notes the hold of a request on a target.</summary>
    public void Claimed(Claim claim)
    {
        lock (_lock)
        {
            if (_claim is null)
            {
                _claim = claim;
            }
            else
            {
                (_furtherClaims ??= []).Add(claim);
            }
        }
    }

    /// <summary>Forgets a hold that was noted.</summary>
    public void GaveBack(Claim claim)
    {
        lock (_lock)
        {
            if (_claim == claim)
            {
                _claim = null;
            }
            else
            {
                _furtherClaims?.Remove(claim);
            }
        }
    }

    /// <summary>Counts it active: a request begins.</summary>
    /// <returns>Whether there is room for the request; if not, it is to be refused.</returns>
    public bool RequestBegan()
    {
        lock (_lock)
        {
            if (++_requests == 1)
            {
                Enter(ClientConnectionState.Active);
                return true;
            }

            var hasRoom = _counts.TryEnterBeside();
            _beside += hasRoom ? 1 : 0;
            return hasRoom;
        }
    }

    /// <summary>Counts it idle if no other request is running.</summary>
    public void RequestEnded()
    {
        lock (_lock)
        {
            if (--_requests == 0)
            {
                Enter(ClientConnectionState.Idle);
            }
            else if (_beside >= _requests)
            {
                _beside--;
                _counts.LeaveBeside();
            }
        }
    }

    /// <summary>Counts it in another state.</summary>
    public void Enter(ClientConnectionState state)
    {
        lock (_lock)
        {
            if (!_hasLeft)
            {
                _counts.Move(_state, state);
                _state = state;
            }
        }
    }

    /// <summary>Counts it out. Streams that were given up may end after it.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _hasLeft = true;
            _counts.Leave(this, _state);
        }
    }
}
