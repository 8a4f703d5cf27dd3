using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>A request that waits, in a <see cref="WaitingRoom"/> or a <see cref="RequestQueue"/>. It goes on where it began, on the event loop of its client's connection.</summary>
/// <param name="leave">Called when it waits no longer.</param>
/// <param name="loop">Where it goes on.</param>
/// <param name="bytes">Bytes of its head.</param>
internal class WaitingRequest(Action<WaitingRequest> leave, EventLoop loop, long bytes) : ISocketEvents, IDisposable
{
    private readonly Readiness _changed = new();
    private CancellationTokenRegistration _left;
    private ITimer? _limit;
    private volatile bool _isOver;

    /// <summary>Bytes of its head.</summary>
    public long Bytes => bytes;

    /// <summary>Begins to count its time. Called by whoever lets it wait.</summary>
    public void Begin(TimeProvider time, TimeSpan limit, CancellationToken left)
    {
        _limit = time.CreateTimer(static request => ((WaitingRequest)request!).End(), this, limit, Timeout.InfiniteTimeSpan);
        _left = left.UnsafeRegister(static request => ((WaitingRequest)request!).End(), this);
    }

    /// <summary>Waits until something has changed since the last time that it waited.</summary>
    /// <returns><see langword="false"/> if its time is over or its client has left.</returns>
    public async ValueTask<bool> WaitAsync()
    {
        if (!_isOver)
        {
            await _changed.WaitAsync();
        }

        return !_isOver;
    }

    /// <summary>Makes it look again.</summary>
    public void Wake() => loop.End(this);

    /// <inheritdoc/>
    public void On(SocketEvents events) => _changed.Signal();

    /// <inheritdoc/>
    public void Dispose()
    {
        _limit?.Dispose();
        _left.Dispose();
        leave(this);
    }

    private void End()
    {
        _isOver = true;
        Wake();
    }
}
