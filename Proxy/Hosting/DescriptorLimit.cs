using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>How many clients can be connected at once, and descriptors kept back for all else.</summary>
/// <remarks>
/// Each client may need a second descriptor, to the application. The runtime needs some at any time, to start a thread or to look at its memory, and ends
/// the process where it gets none. Whoever lowers the limit of a process that runs may leave it none. So some are held from the start, and let go as soon as
/// the limit is seen to be lower than it was.
/// </remarks>
internal sealed class DescriptorLimit : IDisposable
{
    private const int OpenFiles = 7;
    private const int Reserve = 128;
    private const int Least = 16;
    private const long Unlimited = 1 << 21;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<SafeFileHandle> _held = [];
    private readonly long _limitAtStart = Current;
    private readonly ITimer _looking;

    /// <param name="time">Clock of the looks at the limit.</param>
    public DescriptorLimit(TimeProvider time)
    {
        Hold();
        _looking = time.CreateTimer(static limit => ((DescriptorLimit)limit!).Adjust(), this, Interval, Interval);
    }

    private static long Current => GetLimit(OpenFiles, out var limit) == 0 ? (long)Math.Min(limit.Soft, Unlimited) : 1024;

    /// <summary>How many clients can be connected now.</summary>
    public long MaxConnections => Math.Max(Least, (Adjust() - Reserve) / 2);

    /// <inheritdoc/>
    public void Dispose()
    {
        _looking.Dispose();
        Release();
    }

    private long Adjust()
    {
        var limit = Current;
        if (limit < _limitAtStart && _held.Count > 0)
        {
            Release();
        }

        return limit;
    }

    private void Hold()
    {
        // A process that has few descriptors from the start needs them more.
        for (var i = 0; i < Reserve && _limitAtStart >= 8 * Reserve; i++)
        {
            _held.Add(File.OpenHandle("/dev/null"));
        }
    }

    private void Release()
    {
        lock (_lock)
        {
            _held.ForEach(handle => handle.Dispose());
            _held.Clear();
        }
    }

    [DllImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetLimit(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        public readonly ulong Soft;
        public readonly ulong Hard;
    }
}
