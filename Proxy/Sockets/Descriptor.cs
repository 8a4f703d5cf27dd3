using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A descriptor of the kernel that is no socket; it is closed when it is disposed.</summary>
internal sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    /// <param name="descriptor">As the kernel has given it.</param>
    /// <exception cref="IOException">It is none: the kernel has refused, for the reason that the last call has left.</exception>
    public Descriptor(int descriptor)
        : base(ownsHandle: true)
    {
        SetHandle(descriptor);
        if (IsInvalid)
        {
            throw new IOException($"The kernel gives no descriptor for an event loop: error {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => CloseDescriptor((int)handle) == 0;

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int CloseDescriptor(int descriptor);
}
