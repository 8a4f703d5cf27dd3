namespace Wunderproxy.Proxy.Hosting;

/// <summary>
/// Gives back the memory that a load has left behind, once no request runs. The collector does that by itself only where much is allocated, which doesn't happen any more where everybody is idle.
/// </summary>
/// <remarks>A collection stops every thread for some milliseconds. So it comes only after an interval in which next to nothing was allocated, and once for each load.</remarks>
internal sealed class IdleMemory : IDisposable
{
    private const long Little = 256 << 10;
    private const long Much = 8 << 20;

    // Connections rest 5 to 10 s after their last request, which itself allocates; what they had can go soon after.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(4);

    private readonly ITimer _timer;
    private long _seen;
    private long _collected;

    /// <param name="isIdle">Whether no request runs at this moment.</param>
    /// <param name="time">The clock.</param>
    public IdleMemory(Func<bool> isIdle, TimeProvider time) =>
        _timer = time.CreateTimer(_ => CollectIfDue(isIdle()), null, Interval, Interval);

    /// <summary>Whether it is time to collect.</summary>
    /// <param name="allocated">Bytes allocated since the process began.</param>
    /// <param name="isIdle">Whether no request runs.</param>
    public bool IsDue(long allocated, bool isIdle)
    {
        var isQuiet = isIdle && allocated - _seen < Little;
        _seen = allocated;
        if (!isQuiet || allocated - _collected < Much)
        {
            return false;
        }

        _collected = allocated;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void CollectIfDue(bool isIdle)
    {
        if (IsDue(GC.GetTotalAllocatedBytes(), isIdle))
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
