using System.Runtime.InteropServices;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>
/// Gives back the memory that a load has left behind, once no request runs. The collector does that by itself only where much is allocated, which doesn't happen any more where everybody is idle.
/// </summary>
/// <remarks>
/// A collection stops every thread for some milliseconds. So it comes only after an interval in which next to nothing was allocated, and once for each load. What many connections
/// had counts as a load of its own: they rest, or leave, long after the requests, and allocate little by that.
/// </remarks>
internal sealed class IdleMemory : IDisposable
{
    private const long Little = 256 << 10;
    private const long Much = 8 << 20;
    private const long Many = 1000;

    // Connections rest 5 to 10 s after their last request, which itself allocates; what they had can go soon after.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(4);

    private readonly ITimer _timer;
    private long _seen;
    private long _collected;
    private long _letGo;

    /// <param name="connections">Whose memory it is.</param>
    /// <param name="time">The clock.</param>
    public IdleMemory(ClientConnections connections, TimeProvider time) =>
        _timer = time.CreateTimer(_ => CollectIfDue(connections), null, Interval, Interval);

    /// <summary>Whether it is time to collect.</summary>
    /// <param name="allocated">Bytes allocated since the process began.</param>
    /// <param name="letGo">Connections that have come to rest, or left, since then.</param>
    /// <param name="isIdle">Whether no request runs.</param>
    public bool IsDue(long allocated, long letGo, bool isIdle)
    {
        var isQuiet = isIdle && allocated - _seen < Little;
        _seen = allocated;
        if (!isQuiet || (allocated - _collected < Much && letGo - _letGo < Many))
        {
            return false;
        }

        (_collected, _letGo) = (allocated, letGo);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void CollectIfDue(ClientConnections connections)
    {
        if (IsDue(GC.GetTotalAllocatedBytes(), connections.LetGo, connections.AreIdle))
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            TrimUnmanaged();
        }
    }

    // What the runtime itself has freed, such as its compiler, stays with the C library else; musl's keeps little, and has no such call.
    private static void TrimUnmanaged()
    {
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Nothing is to be given back.
        }
    }

    [DllImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Trim(nint kept);
}
