using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.Controller.Cli;

/// <summary>Tells the service manager how far the process is, if one wants to know: datagrams to <c>$NOTIFY_SOCKET</c>.</summary>
/// <remarks>Source: sd_notify(3).</remarks>
/// <param name="socketPath">Value of <c>$NOTIFY_SOCKET</c>; absent: nobody wants to know.</param>
internal sealed class ServiceNotification(string? socketPath)
{
    public const string Variable = "NOTIFY_SOCKET";

    /// <summary>It serves.</summary>
    public void Ready() => Send("READY=1");

    /// <summary>It has begun to stop.</summary>
    public void Stopping() => Send("STOPPING=1");

    private void Send(string state)
    {
        if (string.IsNullOrEmpty(socketPath))
        {
            return;
        }

        // A leading @ stands for the zero byte of the abstract namespace.
        var address = socketPath.StartsWith('@') ? "\0" + socketPath[1..] : socketPath;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            socket.SendTo(Encoding.UTF8.GetBytes(state), new UnixDomainSocketEndPoint(address));
        }
        catch (SocketException)
        {
            // Nobody listens any more; the service manager has its own timeout for that.
        }
    }
}
