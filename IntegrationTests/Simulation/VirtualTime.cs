namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The clock of a simulated host as one of its processes sees it. The time of day may jump; the time that passes doesn't.</summary>
internal sealed class VirtualTime(VirtualThread thread, Life life, WallClock wall) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => thread.Now;

    public override DateTimeOffset GetUtcNow() => wall.At(thread.Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new VirtualTimer(thread, life, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }
}

/// <summary>The time of day of a simulated host.</summary>
internal sealed class WallClock
{
    private static readonly DateTimeOffset Beginning = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How far somebody has set it.</summary>
    public TimeSpan Offset { get; set; }

    public DateTimeOffset At(long ticks) => Beginning + TimeSpan.FromTicks(ticks) + Offset;
}

/// <summary>A timer on the <see cref="VirtualThread"/>.</summary>
internal sealed class VirtualTimer(VirtualThread thread, Life life, TimerCallback callback, object? state) : ITimer
{
    private long? _due;
    private TimeSpan _period = Timeout.InfiniteTimeSpan;

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _period = period;
        _due = dueTime == Timeout.InfiniteTimeSpan ? null : thread.Now + dueTime.Ticks;
        if (_due is { } due)
            thread.Schedule(this, due);
        return true;
    }

    /// <summary>The time it was scheduled for has come; where it was changed since, that was for nothing.</summary>
    public void Fire(long due)
    {
        if (_due != due || life.IsOver)
            return;
        _due = null;
        if (_period > TimeSpan.Zero)
            Change(_period, _period);
        thread.Post(life, Call, this);
    }

    public void Dispose() => _due = null;

    public ValueTask DisposeAsync()
    {
        _due = null;
        return ValueTask.CompletedTask;
    }

    private static void Call(object? timer)
    {
        var self = (VirtualTimer)timer!;
        self.Invoke();
    }

    private void Invoke() => callback(state);
}
