namespace Wunderproxy.Proxy.Sockets;

/// <summary>Events of a socket, by the numbers that the kernel gives them.</summary>
[Flags]
internal enum SocketEvents : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><c>EPOLLIN</c>: bytes, a client or the end can be read.</summary>
    Readable = 0x1,

    /// <summary><c>EPOLLOUT</c>: bytes can be sent.</summary>
    Writable = 0x4,

    /// <summary><c>EPOLLERR</c>: the connection is broken.</summary>
    Failed = 0x8,

    /// <summary><c>EPOLLHUP</c>: the connection has ended both ways.</summary>
    Ended = 0x10,

    /// <summary><c>EPOLLRDHUP</c>: the other side has ended its stream; bytes may be left to read.</summary>
    OtherSideEnded = 0x2000,

    /// <summary><c>EPOLLEXCLUSIVE</c>: one of several loops that watch the same socket is told.</summary>
    OneLoopOnly = 1u << 28,

    /// <summary><c>EPOLLET</c>: told once, when it changes.</summary>
    OnChange = 1u << 31,
}
