using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>A TCP port of 127.0.0.1 that nobody listens on; nobody else takes it inside the lab's namespace.</summary>
public static class FreePort
{
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
