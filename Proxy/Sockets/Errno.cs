using System.Net.Sockets;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Errors of Linux's system calls that are told apart; they are numbered alike on all machines that we run on.</summary>
internal static class Errno
{
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int OutOfMemory = 12;
    public const int TooManyFilesInSystem = 23;
    public const int TooManyFiles = 24;
    public const int Protocol = 71;
    public const int ConnectionAborted = 103;
    public const int NoBuffers = 105;
    public const int InProgress = 115;

    /// <summary>What <see cref="SocketException"/> calls an error, which it takes for the text of its message too.</summary>
    public static int ToSocketError(int error) => (int)(error switch
    {
        13 or 1 => SocketError.AccessDenied,
        32 => SocketError.Shutdown,
        99 => SocketError.AddressNotAvailable,
        101 => SocketError.NetworkUnreachable,
        ConnectionAborted => SocketError.ConnectionAborted,
        104 => SocketError.ConnectionReset,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        112 or 113 => SocketError.HostUnreachable,
        TooManyFiles or TooManyFilesInSystem => SocketError.TooManyOpenSockets,
        NoBuffers or OutOfMemory => SocketError.NoBufferSpaceAvailable,
        _ => SocketError.SocketError,
    });
}
