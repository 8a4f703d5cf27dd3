using System.Runtime.InteropServices;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>How many clients can be connected at once.</summary>
internal static class DescriptorLimit
{
    private const int OpenFiles = 7;
    private const long Reserve = 128;

    /// <summary>
    /// Below half of the process's limit of open files: each client may need a second descriptor, to the application. At that limit
    /// Kestrel would spin in accepting what it can't take; so it refuses earlier.
    /// </summary>
    public static long MaxConnections => Math.Max(16, ((GetLimit(OpenFiles, out var limit) == 0 ? (long)Math.Min(limit.Soft, 1 << 21) : 1024) - Reserve) / 2);

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
