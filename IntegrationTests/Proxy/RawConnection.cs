using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A TCP connection whose bytes are seen as they are, or within TLS; text is Latin-1, so each character is one byte. Every wait ends after 10 s.</summary>
internal sealed class RawConnection(Socket socket, SslStream? tls = null) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly StringBuilder _unread = new();

    public static async Task<RawConnection> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        return new RawConnection(socket);
    }

    /// <summary>Whether something has come that wasn't read.</summary>
    public bool HasUnread => _unread.Length > 0 || socket.Available > 0;

    public async Task SendAsync(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        if (tls is not null)
        {
            await tls.WriteAsync(bytes).AsTask().WaitAsync(Limit, TimeProvider.System);
            return;
        }

        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent)).AsTask().WaitAsync(Limit, TimeProvider.System);
        }
    }

    /// <returns>Whether the other side still took it.</returns>
    public async Task<bool> TrySendAsync(string text)
    {
        try
        {
            await SendAsync(text);
            return true;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    /// <summary>Reads until the text has come, and returns all up to its end; what follows is left for the next read.</summary>
    public async Task<string> ReadUntilAsync(string end)
    {
        while (true)
        {
            var all = _unread.ToString();
            var index = all.IndexOf(end, StringComparison.Ordinal);
            if (index >= 0)
            {
                _unread.Remove(0, index + end.Length);
                return all[..(index + end.Length)];
            }

            if (await ReceiveAsync() == 0)
                Assert.Fail($"The connection ended before '{end}' came. It had sent: {all}");
        }
    }

    /// <summary>Reads the head of a message, up to the empty line.</summary>
    public Task<string> ReadHeadAsync() => ReadUntilAsync("\r\n\r\n");

    /// <summary>The beginning of what comes, which stays to be read; nothing where the connection ends.</summary>
    public async Task<string> PeekAsync()
    {
        if (_unread.Length == 0)
            await ReceiveAsync();
        return _unread.ToString();
    }

    /// <summary>Reads the head of a message.</summary>
    /// <returns>Absent: the connection ended before anything came.</returns>
    public async Task<string?> TryReadHeadAsync() => _unread.Length > 0 || await ReceiveAsync() > 0 ? await ReadHeadAsync() : null;

    /// <summary>Reads a message: its head, and as many bytes as its Content-Length says.</summary>
    public async Task<string> ReadMessageAsync()
    {
        var head = await ReadHeadAsync();
        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return head + await ReadAsync(length is null ? 0 : int.Parse(length.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    public async Task<string> ReadAsync(int count)
    {
        while (_unread.Length < count)
        {
            if (await ReceiveAsync() == 0)
                Assert.Fail($"The connection ended before {count} bytes came. It had sent: {_unread}");
        }

        var text = _unread.ToString(0, count);
        _unread.Remove(0, count);
        return text;
    }

    /// <summary>Reads until the other side closes the connection in order.</summary>
    /// <exception cref="SocketException">It broke the connection off.</exception>
    public async Task<string> ReadToEndAsync()
    {
        while (await ReceiveAsync() > 0)
        {
        }

        var text = _unread.ToString();
        _unread.Clear();
        return text;
    }

    /// <summary>Reads until the other side closes the connection, in order or not.</summary>
    /// <returns>What it has sent if it closed in order.</returns>
    public async Task<string?> TryReadToEndAsync()
    {
        try
        {
            return await ReadToEndAsync();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }

    /// <summary>Waits until the other side ends the connection, in order or not.</summary>
    public async Task WaitForEndAsync()
    {
        try
        {
            await ReadToEndAsync();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
        }
    }

    /// <summary>Breaks the connection off with a reset.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        if (tls is not null)
        {
            await tls.DisposeAsync();
        }
    }

    private async Task<int> ReceiveAsync()
    {
        var buffer = new byte[16384];
        var count = await (tls?.ReadAsync(buffer).AsTask() ?? socket.ReceiveAsync(buffer)).WaitAsync(Limit, TimeProvider.System);
        _unread.Append(Encoding.Latin1.GetString(buffer, 0, count));
        return count;
    }
}
