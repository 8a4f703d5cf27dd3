using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts the clients' connections by what they are doing.</summary>
/// <param name="limit">How many there can be.</param>
internal sealed class ClientConnections(DescriptorLimit limit)
{
    private static readonly string[] Names = ["new", "active", "idle", "upgraded"];

    private readonly long[] _counts = new long[Names.Length];
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
            return new ClientConnection(this);
        }

        Interlocked.Decrement(ref _total);
        return null;
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
    private int _running;
    private int _beside;
    private bool _hasLeft;
    private ClientConnectionState _state = ClientConnectionState.New;

    /// <param name="counts">Where it is counted.</param>
    public ClientConnection(ClientConnections counts)
    {
        _counts = counts;
        counts.Move(null, _state);
    }

    /// <summary>Counts it active: a request begins.</summary>
    /// <returns>Whether there is room for the request; if not, it is to be refused.</returns>
    public bool RequestBegan()
    {
        lock (_lock)
        {
            if (++_running == 1)
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
            if (--_running == 0)
            {
                Enter(ClientConnectionState.Idle);
            }
            else if (_beside >= _running)
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
            _counts.Move(_state, null);
        }
    }
}
