using System.Runtime.InteropServices;

namespace Wunderproxy.SampleApplication;

/// <summary>Memory that is taken and never given back.</summary>
internal static class Memory
{
    private const int PageSize = 4096;

    /// <summary>Takes native memory and touches every page of it.</summary>
    /// <remarks>Native, because the managed heap ends at three quarters of the container's limit with an exception instead of a kill.</remarks>
    public static void Allocate(int megabytes)
    {
        for (var taken = 0; taken < megabytes; taken++)
            TouchEveryPage(Marshal.AllocHGlobal(1 << 20));
    }

    private static void TouchEveryPage(nint block)
    {
        for (var offset = 0; offset < 1 << 20; offset += PageSize)
            Marshal.WriteByte(block, offset, 1);
    }
}
