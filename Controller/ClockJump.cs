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
    // A time service slews small deviations; no deadline depends on so little.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5);

    private DateTimeOffset _clock = time.GetUtcNow();
    private long _passed = time.GetTimestamp();

    /// <summary>Whether the clock was set since this was asked last.</summary>
    public ClockJump? Look()
    {
        var (clock, passed) = (time.GetUtcNow(), time.GetTimestamp());
        var by = clock - _clock - time.GetElapsedTime(_passed, passed);
        (_clock, _passed) = (clock, passed);
        return by.Duration() < Tolerance ? null : new ClockJump(clock, by);
    }
}
