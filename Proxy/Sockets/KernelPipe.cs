using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A pipe through which the kernel moves bytes from one socket to another, without their being copied here and back.</summary>
/// <remarks>
/// An event loop has one. Whoever fills it empties it before anything else runs on the loop, so it never has bytes of one connection when another one uses it: what its
/// receiver doesn't take is read, and what nobody wants is thrown away. It has the kernel's usual size of 16 pages, which is what the kernel sends at once: with four
/// times as many a move costs twice as much. Source: splice(2).
/// </remarks>
internal sealed class KernelPipe : IDisposable
{
    /// <summary>Bytes that it is filled with at most.</summary>
    public const int Capacity = 62 << 10;

    /// <summary>Bytes that are worth being moved: fewer are copied here and back more cheaply than by its two calls.</summary>
    public const int Least = 16 << 10;

    /// <summary>Memory that stands for what is in a pipe, where somebody counts bytes without looking at them: nobody writes to it or reads it.</summary>
    public static readonly byte[] Placeholder = new byte[Capacity];

    private const int LocalSockets = 1;
    private const int Stream = 1;
    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;
    private const uint MoveWithoutBlocking = 0x1 | 0x2;

    private readonly Descriptor _exit;
    private readonly Descriptor _entrance;

    /// <exception cref="IOException">The kernel gives no pipe.</exception>
    public KernelPipe()
    {
        Span<int> ends = [-1, -1];
        _ = NewPipe(ref ends[0], NonBlockingCloseOnExec);
        _exit = new Descriptor(ends[0]);
        _entrance = new Descriptor(ends[1]);
    }

    /// <summary>Whether this kernel moves bytes between sockets. That of a sandbox, or a filter of system calls, may not: they are copied then.</summary>
    public static bool IsSupported { get; } = FindSupport();

    /// <summary>Bytes that are in it.</summary>
    public int Count { get; private set; }

    /// <summary>Fills it with what a socket has received. It must be empty.</summary>
    /// <param name="source">The socket.</param>
    /// <param name="count">Bytes that are wanted, up to <see cref="Capacity"/>; there may be more than it has taken.</param>
    /// <returns>0: the other side has ended its stream; <see cref="NativeSocket.WouldBlock"/>.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public int Fill(NativeSocket source, int count)
    {
        if (Count > 0)
        {
            throw new InvalidOperationException("The kernel's pipe still has bytes of somebody else.");
        }

        var filled = Move(source, _entrance, count);
        Count = Math.Max(0, filled);
        return filled;
    }

    /// <summary>Gives a socket what it takes of it.</summary>
    /// <returns>Bytes taken, or <see cref="NativeSocket.WouldBlock"/>.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public int Empty(NativeSocket target)
    {
        var taken = Move(_exit, target, Count);
        Count -= Math.Max(0, taken);
        return taken;
    }

    /// <summary>Reads all that is in it.</summary>
    /// <param name="target">As many bytes as there are.</param>
    public void Read(Span<byte> target)
    {
        while (Count > 0)
        {
            var count = (int)ReadDescriptor(_exit, ref target[^Count], Count);
            Count -= count > 0 ? count : throw new InvalidOperationException("The kernel's pipe has less in it than was put there.");
        }
    }

    /// <summary>Throws away what is in it.</summary>
    public void Discard()
    {
        if (Count > 0)
        {
            Read(new byte[Count]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _exit.Dispose();
        _entrance.Dispose();
    }

    // With nothing to be moved a kernel that could says that it would have to wait.
    private static bool FindSupport()
    {
        Span<int> ends = [-1, -1];
        if (NewSocketPair(LocalSockets, Stream | NonBlockingCloseOnExec, 0, ref ends[0]) != 0)
        {
            return false;
        }

        using var source = new Descriptor(ends[0]);
        using var target = new Descriptor(ends[1]);
        try
        {
            using var pipe = new KernelPipe();
            return CanMove(source, pipe._entrance) && CanMove(pipe._exit, target);
        }
        catch (IOException)
        {
            // Descriptors are used up right now. Thrown while the class begins, it would come again at each use.
            return false;
        }
    }

    private static bool CanMove(SafeHandle source, SafeHandle target) =>
        Splice(source, 0, target, 0, 1, MoveWithoutBlocking) < 0 && Marshal.GetLastPInvokeError() == Errno.WouldBlock;

    private static int Move(SafeHandle source, SafeHandle target, int count)
    {
        while (true)
        {
            var moved = (int)Splice(source, 0, target, 0, count, MoveWithoutBlocking);
            if (moved >= 0)
            {
                return moved;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.Interrupted: continue;
                case Errno.WouldBlock: return NativeSocket.WouldBlock;
                case var error: throw new SocketException(Errno.ToSocketError(error));
            }
        }
    }

    [DllImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewPipe(ref int ends, int flags);

    [DllImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewSocketPair(int domain, int type, int protocol, ref int ends);

    [DllImport("libc", EntryPoint = "splice", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Splice(SafeHandle source, nint noOffset, SafeHandle target, nint noOffsetEither, nint count, uint flags);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint ReadDescriptor(SafeHandle descriptor, ref byte buffer, nint count);
}
