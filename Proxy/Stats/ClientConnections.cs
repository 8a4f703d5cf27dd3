using System.Net;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts the clients' connections by what they are doing, and says whether there may be one more.</summary>
/// <param name="limit">How many there can be.</param>
/// <param name="most">How many there may be; absent: as many as there can.</param>
/// <param name="byClient">How many each client has; absent: it may have any number.</param>
internal sealed class ClientConnections(DescriptorLimit limit, int? most = null, ConnectionsByClient? byClient = null)
{
    // Its own, and that of its connection to the application.
    private const int DescriptorsOfEach = 2;

    private static readonly string[] Names = ["new", "active", "idle", "upgraded"];
    private static readonly string[] Reasons = ["descriptors", "total", "client"];

    private readonly long[] _refused = new long[Reasons.Length];
    private readonly long[] _counts = new long[Names.Length];
    private readonly Lock _lock = new();
    private readonly HashSet<ClientConnection> _open = [];
    private long _descriptors;
    private long _connected;
    private long _letGo;

    /// <summary>Whether no connection has a request that runs.</summary>
    public bool AreIdle => Volatile.Read(ref _counts[(int)ClientConnectionState.Active]) == 0;

    /// <summary>Connections that have left, or that nobody but the listener knows any more, so far.</summary>
    public long LetGo => Volatile.Read(ref _letGo);

    /// <summary>Counts by the names of the states.</summary>
    public IReadOnlyDictionary<string, long> Report() =>
        Names.Select((name, i) => (name, Count: Volatile.Read(ref _counts[i]))).ToDictionary(pair => pair.name, pair => pair.Count);

    /// <summary>Connections that were closed as soon as they came, by the reason.</summary>
    public IReadOnlyDictionary<string, long> ReportRefused() =>
        Reasons.Select((reason, i) => (reason, Count: Volatile.Read(ref _refused[i]))).ToDictionary(pair => pair.reason, pair => pair.Count);

    /// <summary>Counts a new connection in.</summary>
    /// <param name="client">Where it comes from; absent: a Unix socket.</param>
    /// <returns>Absent: there are as many as can be or may be, or as many of this client.</returns>
    public ClientConnection? TryEnter(IPAddress? client)
    {
        var hasRoom = TryAdd(DescriptorsOfEach);
        var isAllowed = Interlocked.Increment(ref _connected) <= (most ?? long.MaxValue);
        if (!hasRoom || !isAllowed || (client is not null && byClient?.TryEnter(client) is false))
        {
            Interlocked.Add(ref _descriptors, -DescriptorsOfEach);
            Interlocked.Decrement(ref _connected);
            Interlocked.Increment(ref _refused[!hasRoom ? 0 : !isAllowed ? 1 : 2]);
            return null;
        }

        var connection = new ClientConnection(this, client);
        lock (_lock)
        {
            _open.Add(connection);
        }

        return connection;
    }

    /// <summary>Counts a connection out.</summary>
    public void Leave(ClientConnection connection, ClientConnectionState state)
    {
        lock (_lock)
        {
            _open.Remove(connection);
        }

        if (connection.Address is { } client)
        {
            byClient?.Leave(client);
        }

        Interlocked.Decrement(ref _connected);
        Move(state, null);
        CountLetGo();
    }

    /// <summary>Counts a connection that rests from now on.</summary>
    public void CountLetGo() => Interlocked.Increment(ref _letGo);

    /// <summary>Claims of the requests that run.</summary>
    public IReadOnlyList<Claim> Running()
    {
        // A connection that leaves holds its own lock, and waits for this one: nobody may wait the other way round.
        ClientConnection[] open;
        lock (_lock)
        {
            open = [.. _open];
        }

        return [.. open.SelectMany(connection => connection.Claims())];
    }

    /// <summary>Counts in what needs a descriptor besides those of the connections: a request that runs beside others of its own, for it may need one to the application, or a file.</summary>
    /// <returns>Whether there is room; if so, <see cref="LeaveBeside"/> follows.</returns>
    public bool TryEnterBeside()
    {
        var hasRoom = TryAdd(1);
        if (!hasRoom)
        {
            LeaveBeside();
        }

        return hasRoom;
    }

    /// <summary>Counts it out.</summary>
    public void LeaveBeside() => Interlocked.Decrement(ref _descriptors);

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
            Interlocked.Add(ref _descriptors, -DescriptorsOfEach);
        }
    }

    // It is counted also where there is no room; whoever asked takes it back then.
    private bool TryAdd(int descriptors) => Interlocked.Add(ref _descriptors, descriptors) <= DescriptorsOfEach * limit.MaxConnections;
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
    /// <param name="address">Where it comes from; absent: a Unix socket.</param>
    public ClientConnection(ClientConnections counts, IPAddress? address)
    {
        _counts = counts;
        Address = address;
        counts.Move(null, _state);
    }

    /// <summary>Where it comes from; absent: a Unix socket.</summary>
    public IPAddress? Address { get; }

    /// <summary>Whether it is between two requests.</summary>
    public bool IsIdle => _state == ClientConnectionState.Idle;

    /// <summary>Notes that it rests: nobody but the listener knows it any more.</summary>
    public void Rest() => _counts.CountLetGo();

    /// <summary>The holds that its requests have on targets.</summary>
    public IReadOnlyList<Claim> Claims()
    {
        lock (_lock)
        {
            return [.. _furtherClaims ?? [], .. Volatile.Read(ref _claim) is { } claim ? [claim] : Array.Empty<Claim>()];
        }
    }

    /// <summary>Notes the hold of a request on a target.</summary>
    public void Claimed(Claim claim)
    {
        if (Interlocked.CompareExchange(ref _claim, claim, null) is not null)
        {
            lock (_lock)
            {
                (_furtherClaims ??= []).Add(claim);
            }
        }
    }

    /// <summary>Forgets a hold that was noted.</summary>
    public void GaveBack(Claim claim)
    {
        if (Interlocked.CompareExchange(ref _claim, null, claim) != claim)
        {
            lock (_lock)
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
