using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>How much may be kept for slow clients, over all requests.</summary>
/// <param name="Memory">Bytes of memory.</param>
/// <param name="Disk">Bytes of temporary files.</param>
/// <param name="Folder">Where the files are.</param>
internal sealed record BufferCaps(long Memory, long Disk, string Folder)
{
    private const long LeastMemory = 16 << 20;
    private const long MostMemory = 512 << 20;
    private const long MostDisk = 2L << 30;

    /// <summary>What the process is told, or what suits the machine.</summary>
    public static BufferCaps Of(ProxyOptions options)
    {
        var folder = options.BufferDirectory ?? Path.Combine(options.StateDirectory, "buffers");
        return new BufferCaps(options.BufferMemory ?? DefaultMemory, options.BufferDisk ?? DefaultDisk(options.StateDirectory), folder);
    }

    /// <summary>A sixteenth of the machine's memory, or of what the process may have of it; 16 to 512 MiB.</summary>
    private static long DefaultMemory => Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16, LeastMemory, MostMemory);

    /// <summary>A tenth of what is free where the files are, 2 GiB at most.</summary>
    private static long DefaultDisk(string folder)
    {
        try
        {
            return Math.Min(MostDisk, new DriveInfo(folder).AvailableFreeSpace / 10);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }
}
