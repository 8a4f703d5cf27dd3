using System.Net;
using System.Net.Sockets;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A socket on its loop.</summary>
public sealed class LoopSocketTests
{
    [Fact]
    public async Task Connection_that_is_there_is_not_late_though_who_waits_for_it_has_not_run_yet()
    {
        using var loop = new EventLoop("test-loop");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var socket = new LoopSocket(loop, NativeSocket.Connect((IPEndPoint)listener.LocalEndpoint, out _));
        socket.Watch(isConnecting: true);

        await Eventually.HoldsAsync("connected", () => !socket.IsConnecting);

        await socket.WaitUntilConnectedAsync();
    }
}
