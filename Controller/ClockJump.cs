namespace Wunderproxy.Controller;

/// <summary>The wall clock was set: by hand, by a time service, or while the host was suspended. What was noted by the former clock moves along.</summary>
/// <param name="Now">What the clock shows since.</param>
/// <param name="By">By how much it was set, forwards or backwards.</param>
internal sealed record ClockJump(DateTimeOffset Now, TimeSpan By)
{
    // Whatever looks as new as this was noted after the clock was set and before that was noticed.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    /// <summary>A time that was noted by the former clock, by the new one.</summary>
    public DateTimeOffset Move(DateTimeOffset noted) => noted <= Now && noted > Now - Fresh ? noted : noted + By;
}

/// <summary>Notices that the wall clock was set: it has then moved by another amount than time has passed.</summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>A clock that is set by less isn't noticed: a time service slews small deviations, and no deadline depends on so little.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5);

    private DateTimeOffset _clock = time.GetUtcNow();
    private long _passed = time.GetTimestamp();

    /// <summary>What the clock showed when this looked last. What is decided goes by it, and not by a clock that may have been set since.</summary>
    public DateTimeOffset Now => _clock;

    /// <summary>Whether the clock was set since this was asked last.</summary>
    public ClockJump? Look()
    {
        var (clock, passed) = (time.GetUtcNow(), time.GetTimestamp());
        var by = clock - _clock - time.GetElapsedTime(_passed, passed);
        (_clock, _passed) = (clock, passed);
        return by.Duration() < Tolerance ? null : new ClockJump(clock, by);
    }
}
