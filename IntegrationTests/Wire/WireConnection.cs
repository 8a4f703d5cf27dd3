using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>A TCP connection, or TLS on it, and all that came on it and isn't taken yet. No wait is longer than its limit.</summary>
internal sealed class WireConnection(Socket socket, SslStream? tls = null) : IDisposable
{
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(10);

    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>What came and isn't taken yet.</summary>
    public ReadOnlySpan<byte> Unread => _buffer.AsSpan(0, _length);

    /// <summary>Whether the other side closed in order.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether the other side broke the connection off.</summary>
    public bool IsBroken { get; private set; }

    public static async Task<WireConnection> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address).WaitAsync(DefaultLimit, TimeProvider.System);
        return new WireConnection(socket);
    }

    /// <summary>Sends all, or as much as the other side takes before it breaks off.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            if (tls is not null)
            {
                await tls.WriteAsync(bytes).AsTask().WaitAsync(DefaultLimit, TimeProvider.System);
                return;
            }

            while (bytes.Length > 0)
            {
                bytes = bytes[await socket.SendAsync(bytes).AsTask().WaitAsync(DefaultLimit, TimeProvider.System)..];
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // What was received before still counts; reading tells that the connection broke off.
        }
    }

    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Waits until something comes.</summary>
    /// <returns>Whether something came; else the connection is over.</returns>
    /// <exception cref="TimeoutException">Nothing came within the limit.</exception>
    public async Task<bool> ReceiveAsync(TimeSpan? limit = null)
    {
        if (_length == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _length);
        }

        try
        {
            using var end = new CancellationTokenSource(limit ?? DefaultLimit, TimeProvider.System);
            var buffer = _buffer.AsMemory(_length);
            var count = await (tls?.ReadAsync(buffer, end.Token) ?? socket.ReceiveAsync(buffer, end.Token));
            _length += count;
            HasEnded = count == 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            IsBroken = true;
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"Nothing came; before there was: {Encoding.Latin1.GetString(Unread)}", e);
        }

        return !HasEnded && !IsBroken;
    }

    /// <summary>Takes bytes that came.</summary>
    public void Take(int count)
    {
        _buffer.AsSpan(count, _length - count).CopyTo(_buffer);
        _length -= count;
    }

    /// <summary>Says that nothing more will be sent.</summary>
    public void EndSending()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The other side has ended the connection already.
        }
    }

    /// <summary>Breaks the connection off.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    /// <summary>Closes in order; within TLS it says so.</summary>
    public async Task CloseAsync()
    {
        if (tls is not null)
        {
            await tls.ShutdownAsync();
        }

        Dispose();
    }

    public void Dispose()
    {
        socket.Dispose();
        tls?.Dispose();
    }
}
