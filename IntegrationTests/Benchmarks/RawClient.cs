using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>A client's connection that costs the measuring machine as little as possible: the answers are only counted.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[2048];
    private int _count;

    /// <summary>Whether the last answer said that no other one comes on this connection.</summary>
    public bool IsClosing => _buffer.AsSpan(0, _count).IndexOf("Connection: close\r\n"u8) >= 0;

    public static async Task<RawClient> ConnectAsync(Uri address)
    {
        var client = new RawClient();
        await client._socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return client;
    }

    /// <summary>Sends bytes and waits for what comes back at once.</summary>
    /// <returns>Bytes that came; 0: the connection was closed.</returns>
    public async ValueTask<int> AskAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await _socket.SendAsync(request, cancellationToken);
        return _count = await _socket.ReceiveAsync(_buffer, cancellationToken);
    }

    /// <summary>Sends a request for the small page, or for another one, and expects its answer.</summary>
    public async Task ExpectAsync(string request, string beginning)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        var count = await AskAsync(Encoding.ASCII.GetBytes(request), limit.Token);
        var answer = Encoding.ASCII.GetString(_buffer, 0, count);
        if (!answer.StartsWith(beginning, StringComparison.Ordinal))
            throw new InvalidOperationException($"Instead of '{beginning}' came '{answer}'.");
    }

    public void Dispose() => _socket.Dispose();
}
