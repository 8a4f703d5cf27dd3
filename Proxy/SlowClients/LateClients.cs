namespace Wunderproxy.Proxy.SlowClients;

/// <summary>What waits for a client, and may find that it waits too long.</summary>
internal interface IWaitForClient
{
    /// <summary>Looks at the client, every few milliseconds and on any thread.</summary>
    /// <returns>Whether it need be looked at no more.</returns>
    bool LookAtClient();
}

/// <summary>Clients that are waited for. All of them are looked at every few milliseconds, while there are any, so none needs a timer of its own.</summary>
/// <param name="time">The clock.</param>
internal sealed class LateClients(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(4);

    private readonly Lock _lock = new();
    private readonly HashSet<IWaitForClient> _waits = [];
    private ITimer? _looking;
    private bool _isLooking;

    /// <summary>Looks at a client from now on.</summary>
    public void Add(IWaitForClient wait)
    {
        lock (_lock)
        {
            _waits.Add(wait);
            if (!_isLooking)
            {
                _isLooking = true;
                _looking ??= time.CreateTimer(static clients => ((LateClients)clients!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _looking.Change(Interval, Interval);
            }
        }
    }

    /// <summary>Looks at it no more.</summary>
    public void Remove(IWaitForClient wait)
    {
        lock (_lock)
        {
            _waits.Remove(wait);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _looking?.Dispose();

    private void Look()
    {
        lock (_lock)
        {
            _waits.RemoveWhere(static wait => wait.LookAtClient());
            if (_waits.Count == 0)
            {
                _isLooking = false;
                _looking!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }
}
