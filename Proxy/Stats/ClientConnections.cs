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
            return [.. _open.Select(connection => connection.Running).OfType<Claim>()];
        }
    }

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

    /// <summary>A request is running.</summary>
    Active,

    /// <summary>Between two requests.</summary>
    Idle,

    /// <summary>It was upgraded, such as to a WebSocket.</summary>
    Upgraded,
}

/// <summary>One connection of a client; a feature of its requests. Requests of HTTP/1.1 follow one another, so no two threads move it at once.</summary>
internal sealed class ClientConnection
{
    private readonly ClientConnections _counts;
    private ClientConnectionState _state = ClientConnectionState.New;
    private volatile Claim? _running;

    /// <param name="counts">Where it is counted.</param>
    public ClientConnection(ClientConnections counts)
    {
        _counts = counts;
        counts.Move(null, _state);
    }

    /// <summary>Whether it is between two requests.</summary>
    public bool IsIdle => _state == ClientConnectionState.Idle;

    /// <summary>The hold that its request has on a target; absent: no request runs, or not on a target.</summary>
    public Claim? Running
    {
        get => _running;
        set => _running = value;
    }

    /// <summary>Counts it in another state.</summary>
    public void Enter(ClientConnectionState state)
    {
        _counts.Move(_state, state);
        _state = state;
    }

    /// <summary>Counts it out.</summary>
    public void Leave() => _counts.Leave(this, _state);
}
