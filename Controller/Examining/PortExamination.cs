using System.Net;
using System.Net.Sockets;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Examining;

/// <summary>Looks whether clients and the Controller get to the Proxy.</summary>
internal static class PortExamination
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(2);

    /// <summary>The public address: whether the Proxy has it, or could have it.</summary>
    /// <param name="proxy">The Proxy that the Controller reaches; absent: none.</param>
    /// <param name="wanted">Where one that is started would listen.</param>
    public static Finding PublicAddress(ProxyStatus? proxy, IPEndPoint wanted)
    {
        if (proxy is not null)
        {
            return new Finding("public port", Verdict.Well, $"The Proxy, process {proxy.ProcessId}, listens on {string.Join(", ", [.. proxy.Listening, .. proxy.ListeningTls.Select(address => $"{address} (TLS)")])}.");
        }

        try
        {
            using var listener = new TcpListener(wanted);
            listener.Start();
            return new Finding("public port", Verdict.Well, $"{wanted} is free for a Proxy.");
        }
        catch (SocketException e)
        {
            return new Finding("public port", Verdict.Wrong, $"No Proxy could listen on {wanted}: {e.Message}.", e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"ss -ltnp 'sport = :{wanted.Port}' names who has it. Stop that, or name another address by --proxy.",
                SocketError.AccessDenied => "Start it as root, or with CAP_NET_BIND_SERVICE, as the systemd unit does; or name a port above 1023 by --proxy.",
                _ => "Name an address of this host by --proxy, such as 0.0.0.0:80.",
            });
        }
    }

    /// <summary>The control socket: whether this user gets to the Proxy.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="time">Clock of the deadline.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public static async Task<Finding> ControlSocketAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(ConnectLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await using var stream = await SocketStream.ConnectAsync(path, either.Token);
            return new Finding("control socket", Verdict.Well, $"A Proxy listens at {path}, and this user gets to it.");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            return new Finding("control socket", Verdict.Wrong, $"This user may not connect to {path}.", "Run the Controller as a user of the Proxy's group (wunderproxy), and doctor as the Controller's user.");
        }
        catch (SocketException)
        {
            return new Finding("control socket", Verdict.Doubtful, $"No Proxy listens at {path}.", "wunderproxy run starts one there; systemctl start wunderproxy-proxy starts the one that several applications share. --proxy-control names another socket.");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Finding("control socket", Verdict.Wrong, $"{path} takes no connection within {Duration.Format(ConnectLimit)}.", "Look at the Proxy's log, and restart it: systemctl restart wunderproxy-proxy.");
        }
    }
}
