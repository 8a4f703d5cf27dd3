using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>A TCP port of 127.0.0.1 that nobody listens on. It is none of those that Linux gives to connections, so that nobody gets it by chance before it is used.</summary>
public static class FreePort
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static int turn = Random.Shared.Next(Count);

    public static int Next()
    {
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + ((Interlocked.Increment(ref turn) & int.MaxValue) % Count);
            if (IsFree(port))
                return port;
        }

        throw new InvalidOperationException($"Every port from {First} to {First + Count - 1} is taken.");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Any, port);
            listener.Start();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
