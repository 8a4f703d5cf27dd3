using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>What becomes of a socket that an event loop watches.</summary>
internal interface ISocketEvents
{
    /// <summary>Called on the loop's thread, in which nothing may block.</summary>
    void On(SocketEvents events);
}

/// <summary>One thread that waits for events of many sockets, and runs on itself what waited for them.</summary>
/// <remarks>
/// A request goes from its client to the application and back on one such thread without being handed over, so a loop costs one system call for all
/// sockets that became ready together, and no more. Events are told once, when something changes (<c>EPOLLET</c>). Ends are told behind all others, and only
/// some of them before it looks for others again: where thousands leave at once, which takes far more than a request, those who stay don't wait for that.
/// </remarks>
internal sealed class EventLoop : IDisposable
{
    private const int MaxEvents = 256;
    private const int MaxEnds = 32;
    private const SocketEvents AnyEnd = SocketEvents.OtherSideEnded | SocketEvents.Ended | SocketEvents.Failed;
    private const int CloseOnExec = 0x80000;
    private const int Add = 1;
    private const int Modify = 3;
    private const long WakeUp = 0;

    // The kernel's struct epoll_event is packed on x86-64 only.
    private static readonly int KeyOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = KeyOffset + sizeof(long);

    [ThreadStatic]
    private static EventLoop? current;

    private readonly Descriptor _epoll = new(NewEpoll(CloseOnExec));
    private readonly Descriptor _wakeUp = new(NewEvent(0, CloseOnExec | 0x800));
    private readonly WatchList _watched = new();
    private readonly ConcurrentQueue<Ending> _ends = new();
    private readonly Thread _thread;
    private volatile bool _isOver;

    /// <param name="name">Name of its thread.</param>
    public EventLoop(string name)
    {
        Control(Add, _wakeUp, WakeUp, SocketEvents.Readable);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.UnsafeStart();
    }

    /// <summary>Moves bytes from one socket to another one, for who runs on the loop's thread.</summary>
    public KernelPipe Pipe { get; } = new();

    /// <summary>The loop whose thread this is.</summary>
    public static EventLoop? Current => current;

    /// <summary>Tells of a socket's events from now on, until it is closed and <see cref="Forget"/> is called.</summary>
    /// <returns>The key to change or end it.</returns>
    /// <exception cref="IOException">The kernel can't watch any more.</exception>
    public long Watch(SafeHandle socket, ISocketEvents target, SocketEvents events)
    {
        var key = _watched.Add(target);
        try
        {
            Control(Add, socket, key, events);
            return key;
        }
        catch
        {
            Forget(key);
            throw;
        }
    }

    /// <summary>Tells of other events than before; those that hold now are told again.</summary>
    /// <exception cref="IOException">The socket isn't watched.</exception>
    public void Change(SafeHandle socket, long key, SocketEvents events) => Control(Modify, socket, key, events);

    /// <summary>Tells nothing more of a socket. The kernel forgets it when it is closed.</summary>
    public void Forget(long key) => _watched.Remove(key);

    /// <summary>Tells on the loop's thread, after what it is just doing, that a socket has ended. May be called on any thread.</summary>
    public void End(ISocketEvents target)
    {
        _ends.Enqueue(new Ending(target, WakeUp, SocketEvents.Ended));
        if (current != this)
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        Wake();
        if (current != this)
        {
            _thread.Join();
        }
    }

    // Only the loop's thread lets go of its descriptors: it may be over in the middle of what it is just told, with more still to be told of.
    private void Run()
    {
        using var epoll = _epoll;
        using var wakeUp = _wakeUp;
        using var pipe = Pipe;
        current = this;
        var events = new byte[MaxEvents * EventSize];
        while (!_isOver)
        {
            var count = WaitForEvents(_epoll, ref events[0], MaxEvents, _ends.IsEmpty ? -1 : 0);
            for (var i = 0; i < count; i++)
            {
                var one = events.AsSpan(i * EventSize, EventSize);
                Tell(BitConverter.ToInt64(one[KeyOffset..]), (SocketEvents)BitConverter.ToUInt32(one));
            }

            TellEnds();
        }
    }

    private void Tell(long key, SocketEvents events)
    {
        if (key == WakeUp)
        {
            _ = ReadEvent(_wakeUp, out _, sizeof(long));
        }
        else if ((events & AnyEnd) != 0)
        {
            _ends.Enqueue(new Ending(null, key, events));
        }
        else
        {
            _watched.Find(key)?.On(events);
        }
    }

    // What is closed meanwhile isn't told any more; and a loop that is over tells all that it has to.
    private void TellEnds()
    {
        for (var told = 0; (told < MaxEnds || _isOver) && _ends.TryDequeue(out var ending); told++)
        {
            (ending.Target ?? _watched.Find(ending.Key))?.On(ending.Events);
        }
    }

    private void Wake()
    {
        long one = 1;
        try
        {
            _ = WriteEvent(_wakeUp, ref one, sizeof(long));
        }
        catch (ObjectDisposedException)
        {
            // The loop is over; nobody waits in it any more.
        }
    }

    private void Control(int operation, SafeHandle socket, long key, SocketEvents events)
    {
        Span<byte> one = stackalloc byte[EventSize];
        _ = BitConverter.TryWriteBytes(one, (uint)events);
        _ = BitConverter.TryWriteBytes(one[KeyOffset..], key);
        if (ControlEpoll(_epoll, operation, socket, ref one[0]) != 0)
        {
            throw new IOException($"The kernel can't watch a socket: error {Marshal.GetLastPInvokeError()}");
        }
    }

    private readonly record struct Ending(ISocketEvents? Target, long Key, SocketEvents Events);

    [DllImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewEpoll(int flags);

    [DllImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ControlEpoll(SafeHandle epoll, int operation, SafeHandle socket, ref byte settings);

    [DllImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int WaitForEvents(SafeHandle epoll, ref byte events, int count, int milliseconds);

    [DllImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NewEvent(uint value, int flags);

    [DllImport("libc", EntryPoint = "read", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint ReadEvent(SafeHandle descriptor, out long value, nint length);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint WriteEvent(SafeHandle descriptor, ref long value, nint length);
}
