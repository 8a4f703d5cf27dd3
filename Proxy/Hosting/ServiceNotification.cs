using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>Tells the service manager that started us, if one did, how we are.</summary>
/// <remarks>Source: sd_notify(3): a datagram to the Unix socket named by <c>NOTIFY_SOCKET</c>; a leading @ stands for the abstract namespace.</remarks>
internal static class ServiceNotification
{
    /// <summary>Requests are served now.</summary>
    public static void Ready() => Notify("READY=1");

    /// <summary>Running requests are being finished.</summary>
    public static void Stopping() => Notify("STOPPING=1");

    private static void Notify(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 0 } path)
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.ASCII.GetBytes(state), new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : path));
        }
        catch (SocketException)
        {
            // Nobody listens any more; serving is what counts.
        }
    }
}
