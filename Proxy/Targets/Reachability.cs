using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Whether a container listens.</summary>
internal static class Reachability
{
    /// <summary>Pause between two looks.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    // The kernel repeats what it has sent to an address that wasn't there after a second; a new connection finds it at once.
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(200);

    /// <summary>Opens a connection to a target and closes it again.</summary>
    /// <returns>Whether it could be opened within 200 ms.</returns>
    public static async Task<bool> IsReachableAsync(IPEndPoint target, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        try
        {
            using var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(target, limit.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return false;
        }
    }
}
