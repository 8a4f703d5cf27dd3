using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>Sockets that Kestrel listens on.</summary>
internal static class UnixSocket
{
    private const UnixFileMode OwnerAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Binds a socket; a Unix socket gets mode 0660 before it listens, so that at no instant anybody else can connect.</summary>
    /// <exception cref="SocketException">The address is in use.</exception>
    public static Socket Bind(EndPoint endPoint)
    {
        if (endPoint is not UnixDomainSocketEndPoint)
        {
            return SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        }

        RemoveLeftOver(endPoint);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            File.SetUnixFileMode(endPoint.ToString()!, OwnerAndGroup);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A process that was killed leaves its socket behind. Only a socket on which nobody answers is removed.
    private static void RemoveLeftOver(EndPoint endPoint)
    {
        if (!File.Exists(endPoint.ToString()))
        {
            return;
        }

        using var knock = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            knock.Connect(endPoint);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && new FileInfo(endPoint.ToString()!).Length == 0)
        {
            File.Delete(endPoint.ToString()!);
        }
    }
}
