namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Connections to one target that the standard HTTP client keeps, known here as well: the client can't close those that wait without refusing what is still to be sent.</summary>
internal sealed class UpstreamConnections
{
    private readonly Lock _lock = new();
    private readonly HashSet<UpstreamConnection> _open = [];
    private volatile bool _areClosing;

    /// <summary>Whether none may wait for another request any more.</summary>
    public bool AreClosing => _areClosing;

    /// <summary>Counts one in.</summary>
    public void Add(UpstreamConnection connection)
    {
        lock (_lock)
        {
            _open.Add(connection);
        }
    }

    /// <summary>Counts one out.</summary>
    public void Remove(UpstreamConnection connection)
    {
        lock (_lock)
        {
            _open.Remove(connection);
        }
    }

    /// <summary>Closes those on which no request runs, and the others once theirs has ended.</summary>
    public void CloseIdle()
    {
        UpstreamConnection[] open;
        lock (_lock)
        {
            _areClosing = true;
            open = [.. _open];
        }

        foreach (var connection in open)
        {
            connection.CloseIfIdle();
        }
    }
}
