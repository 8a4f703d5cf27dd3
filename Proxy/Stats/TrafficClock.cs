namespace Wunderproxy.Proxy.Stats;

/// <summary>Has the counts looked at when a second is over, so that it is known in which one a request has ended. A timer may come some milliseconds late, and a request counts for the second before then.</summary>
internal sealed class TrafficClock : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly Action _look;
    private readonly ITimer _timer;

    /// <param name="look">Looks at the counts.</param>
    /// <param name="time">The clock.</param>
    public TrafficClock(Action look, TimeProvider time)
    {
        _time = time;
        _look = look;
        _timer = time.CreateTimer(_ => Tick(), null, UntilNext(), Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        _look();
        _timer.Change(UntilNext(), Timeout.InfiniteTimeSpan);
    }

    // By the wall clock, which may be set: so each time anew.
    private TimeSpan UntilNext() => Second - TimeSpan.FromTicks(_time.GetUtcNow().Ticks % Second.Ticks);
}
