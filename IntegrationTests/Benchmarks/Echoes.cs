using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>WebSockets whose frames come back as they were sent.</summary>
internal sealed class Echoes : IDisposable
{
    public const int Connections = 1000;

    private const string Upgrade =
        "GET /echo HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private static readonly byte[] Switched =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    /// <summary>Begins to answer.</summary>
    public Echoes()
    {
        _listener.Start(Connections);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Keeps all connections busy. CPU time is counted from when all are there until they are to end: what a connection costs is measured elsewhere.</summary>
    public static async Task<LoadResult> RunAsync(Contender contender, TimeSpan duration)
    {
        var clients = new List<RawClient>();
        for (var i = 0; i < Connections; i++)
        {
            clients.Add(await RawClient.ConnectAsync(contender.Address));
            await clients[i].ExpectAsync(Upgrade, "HTTP/1.1 101 ");
        }

        var before = contender.Use;
        using var end = new CancellationTokenSource(duration, TimeProvider.System);
        var counts = await Task.WhenAll(clients.Select(client => EchoAsync(client, end.Token)));
        var cpu = contender.Use.Cpu - before.Cpu;
        clients.ForEach(client => client.Dispose());
        return new LoadResult(counts.Sum(), counts.Sum() / duration.TotalSeconds, counts.Count(c => c == 0), P99Ms: null) { Cpu = cpu };
    }

    public void Dispose() => _listener.Dispose();

    private static async Task<long> EchoAsync(RawClient client, CancellationToken cancellationToken)
    {
        // A frame of ten masked bytes.
        byte[] message = [0x82, 0x80 | 10, .. new byte[14]];
        long count = 0;
        try
        {
            while (await client.AskAsync(message, cancellationToken) > 0)
                count++;
        }
        catch (OperationCanceledException)
        {
            // The time is over.
        }

        return count;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The measurement is over.
        }
    }

    private static async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            var buffer = new byte[2048];
            try
            {
                var isUpgraded = false;
                while (await socket.ReceiveAsync(buffer) is > 0 and var count)
                {
                    await socket.SendAsync(isUpgraded ? buffer.AsMemory(0, count) : Switched);
                    isUpgraded = true;
                }
            }
            catch (SocketException)
            {
                // The client has left.
            }
        }
    }
}
