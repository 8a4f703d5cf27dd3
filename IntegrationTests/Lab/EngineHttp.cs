using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The engine's API, spoken to as plainly as curl does.</summary>
public static class EngineHttp
{
    /// <summary>A client whose relative addresses are calls of the engine.</summary>
    /// <param name="socketPath">The engine's socket.</param>
    /// <param name="timeout">Of each call.</param>
    public static HttpClient Connect(string socketPath, TimeSpan timeout) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://engine/v1.41/"),
        Timeout = timeout,
    };
}
