using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Controller.Durable;

/// <summary>The system calls whose errors .NET hides: its own flush to disk ignores what fsync answers.</summary>
/// <remarks>Linux: the values of the constants are those of its x86-64 and arm64 ABI, where they agree.</remarks>
internal static partial class Libc
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int CreateIfAbsent = 0x40;
    public const int MustNotExist = 0x80;

    // A child process, such as the Proxy that outlives the Controller, must not inherit descriptors and with them locks.
    public const int CloseOnExec = 0x80000;

    public const int LockExclusive = 2;
    public const int LockWithoutWaiting = 4;

    private const int PermissionMissing = 1;
    private const int NoEntry = 2;
    private const int Interruption = 4;
    private const int WouldBlock = 11;
    private const int AccessDenied = 13;
    private const int NoSpaceLeft = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    public static bool WasInterrupted => Marshal.GetLastPInvokeError() == Interruption;

    public static bool WasAbsent => Marshal.GetLastPInvokeError() == NoEntry;

    public static bool WouldHaveBlocked => Marshal.GetLastPInvokeError() == WouldBlock;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint WriteAt(SafeFileHandle file, ReadOnlySpan<byte> content, nint length, long offset);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    /// <summary>The last call's error as an exception.</summary>
    /// <param name="call">Name of the system call.</param>
    /// <param name="path">What it was called on.</param>
    public static DurableWriteException Failure(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new DurableWriteException(FaultOf(error), $"{call} of '{path}' answered '{Marshal.GetPInvokeErrorMessage(error)}' (errno {error})");
    }

    private static DurableWriteFault FaultOf(int error) => error switch
    {
        NoSpaceLeft or QuotaExceeded => DurableWriteFault.NoSpace,
        ReadOnlyFileSystem or AccessDenied or PermissionMissing => DurableWriteFault.ReadOnly,
        _ => DurableWriteFault.Failed,
    };
}
