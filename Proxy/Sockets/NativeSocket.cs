using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A stream socket that never blocks: what the kernel offers, without the queues and buffers that <see cref="Socket"/> puts around it.</summary>
internal sealed class NativeSocket : SafeHandleMinusOneIsInvalid
{
    /// <summary>Returned instead of a count: nothing can be done now; the socket will become ready later.</summary>
    public const int WouldBlock = -1;

    private const int NonBlockingCloseOnExec = 0x800 | 0x80000;
    private const int NoSignal = 0x4000;
    private const int PeekOnly = 0x2;
    private const int More = 0x8000;
    private const int TcpLevel = 6;
    private const int NoDelay = 1;
    private const int SocketLevel = 1;
    private const int Linger = 13;
    private const int PendingError = 4;
    private const int ReceiveLowWater = 18;
    private const ulong CountUnread = 0x541B;
    private const int Stream = 1;

    private NativeSocket(int descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>Takes the next client of a listening socket.</summary>
    /// <param name="listener">The listening socket, which doesn't block.</param>
    /// <param name="remote">Where the client comes from; absent: a Unix socket.</param>
    /// <returns>Absent: nobody waits, or the one who did is gone again.</returns>
    /// <exception cref="SocketException">None can be taken, such as for lack of descriptors.</exception>
    public static NativeSocket? Accept(SafeHandle listener, out IPEndPoint? remote)
    {
        Span<byte> address = stackalloc byte[SocketAddress.GetMaximumAddressSize(AddressFamily.Unix)];
        var length = address.Length;
        var descriptor = AcceptNext(listener, ref MemoryMarshal.GetReference(address), ref length, NonBlockingCloseOnExec);
        remote = null;
        if (descriptor >= 0)
        {
            remote = Address.Read(address[..Math.Min(length, address.Length)]);
            return new NativeSocket(descriptor);
        }

        return Marshal.GetLastPInvokeError() is Errno.WouldBlock or Errno.Interrupted or Errno.ConnectionAborted or Errno.Protocol ? null : throw Failure();
    }

    /// <summary>Begins to connect.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="isConnected">Whether it is connected already; else it is, or has failed, once it can be written to.</param>
    /// <exception cref="SocketException">It can't be connected.</exception>
    public static NativeSocket Connect(IPEndPoint address, out bool isConnected)
    {
        var descriptor = NewSocket(Address.FamilyOf(address), Stream | NonBlockingCloseOnExec, 0);
        if (descriptor < 0)
        {
            throw Failure();
        }

        var made = new NativeSocket(descriptor);
        made.SetOption(TcpLevel, NoDelay, 1);
        Span<byte> bytes = stackalloc byte[Address.MaxLength];
        var length = Address.Write(address, bytes);
        isConnected = BeginConnect(made, ref MemoryMarshal.GetReference(bytes), length) == 0;
        if (!isConnected && Marshal.GetLastPInvokeError() is not Errno.InProgress)
        {
            var failure = Failure();
            made.Dispose();
            throw failure;
        }

        return made;
    }

    /// <summary>How a connect has ended.</summary>
    /// <exception cref="SocketException">It failed.</exception>
    public void ThrowIfNotConnected()
    {
        var length = sizeof(int);
        if (GetSocketOption(this, SocketLevel, PendingError, out var error, ref length) != 0)
        {
            throw Failure();
        }

        if (error != 0)
        {
            throw new SocketException(Errno.ToSocketError(error));
        }
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>0: the other side has ended its stream; <see cref="WouldBlock"/>.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public int Receive(Span<byte> buffer) => Receive(buffer, 0);

    /// <summary>Bytes that were received and not read yet.</summary>
    public int Unread => ControlDevice(this, CountUnread, out var unread) == 0 ? unread : 0;

    /// <summary>Says how many bytes must be there before the loop tells that some can be read. The kernel makes room for them.</summary>
    public void WakeAt(int unread) => SetOption(SocketLevel, ReceiveLowWater, unread);

    /// <summary>Whether bytes, the end or a failure can be read now.</summary>
    public bool IsReadable() => PeekOne() != WouldBlock;

    /// <summary>Whether the other side has ended its stream, and all before it was read.</summary>
    public bool IsAtEnd() => PeekOne() == 0;

    /// <summary>Looks at what can be received, and leaves it there.</summary>
    /// <returns>Bytes seen; none: nothing is there, or nothing comes any more.</returns>
    public int Peek(Span<byte> buffer)
    {
        try
        {
            return Math.Max(0, Receive(buffer, PeekOnly));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    /// <summary>Sends as much as the kernel takes.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="isMoreComing">The next call follows at once, so that the kernel may wait for it to fill a segment.</param>
    /// <returns>Bytes taken, or <see cref="WouldBlock"/>.</returns>
    /// <exception cref="SocketException">The connection is broken.</exception>
    public int Send(ReadOnlySpan<byte> bytes, bool isMoreComing = false)
    {
        while (true)
        {
            var sent = (int)SendNow(this, ref MemoryMarshal.GetReference(bytes), bytes.Length, isMoreComing ? NoSignal | More : NoSignal);
            if (sent >= 0)
            {
                return sent;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.Interrupted: continue;
                case Errno.WouldBlock: return WouldBlock;
                default: throw Failure();
            }
        }
    }

    /// <summary>Ends the stream towards the other side.</summary>
    public void ShutDownSending() => _ = ShutDown(this, 1);

    /// <summary>Makes closing break the connection off, so that the other side can't take what it has got for the whole.</summary>
    public void ResetOnClose()
    {
        Span<int> linger = [1, 0];
        _ = SetSocketOption(this, SocketLevel, Linger, ref linger[0], 2 * sizeof(int));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => CloseDescriptor((int)handle) == 0;

    // A connection that is broken or closed is at its end.
    private int PeekOne()
    {
        Span<byte> one = stackalloc byte[1];
        try
        {
            return Receive(one, PeekOnly);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    private int Receive(Span<byte> buffer, int flags)
    {
        while (true)
        {
            var received = (int)Recv(this, ref MemoryMarshal.GetReference(buffer), buffer.Length, flags);
            if (received >= 0)
            {
                return received;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.Interrupted: continue;
                case Errno.WouldBlock: return WouldBlock;
                default: throw Failure();
            }
        }
    }

    private void SetOption(int level, int option, int value) => _ = SetSocketOption(this, level, option, ref value, sizeof(int));

    private static SocketException Failure() => new(Errno.ToSocketError(Marshal.GetLastPInvokeError()));

    [DllImport("libc", EntryPoint = "socket", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewSocket(int family, int type, int protocol);

    [DllImport("libc", EntryPoint = "connect", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int BeginConnect(NativeSocket socket, ref byte address, int length);

    [DllImport("libc", EntryPoint = "accept4", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int AcceptNext(SafeHandle socket, ref byte address, ref int length, int flags);

    [DllImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Recv(NativeSocket socket, ref byte buffer, nint length, int flags);

    [DllImport("libc", EntryPoint = "send", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SendNow(NativeSocket socket, ref byte buffer, nint length, int flags);

    [DllImport("libc", EntryPoint = "shutdown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ShutDown(NativeSocket socket, int how);

    [DllImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetSocketOption(NativeSocket socket, int level, int option, ref int value, int length);

    [DllImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetSocketOption(NativeSocket socket, int level, int option, out int value, ref int length);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ControlDevice(NativeSocket socket, ulong request, out int value);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int CloseDescriptor(int descriptor);
}
