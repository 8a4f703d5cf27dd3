using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.Controller;

/// <summary>Connects to those that don't listen where <see cref="HttpClient"/> would look for them.</summary>
internal static class SocketStream
{
    /// <summary>Connects to a Unix socket.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="SocketException">Nobody listens there, or this user may not connect.</exception>
    public static ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken) =>
        ConnectAsync(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path), cancellationToken);

    /// <summary>Connects a socket, which ends with the stream, or where it fails.</summary>
    /// <param name="socket">It, not connected yet.</param>
    /// <param name="place">Whereto.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="SocketException">Nobody listens there, or this user may not connect.</exception>
    public static async ValueTask<Stream> ConnectAsync(Socket socket, EndPoint place, CancellationToken cancellationToken)
    {
        try
        {
            await socket.ConnectAsync(place, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
