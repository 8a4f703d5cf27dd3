using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>
/// An application server with one worker, as many are: it serves one connection at a time, from the first byte of a request to the last one of its answer. <c>/bytes/N</c> answers
/// with N bytes, everything else with <c>ok</c>.
/// </summary>
public sealed class SingleWorker : IDisposable
{
    private static readonly byte[] Block = Encoding.ASCII.GetBytes(new string('x', 64 << 10));

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentQueue<ServedRequest> _served = new();
    private readonly byte[] _buffer = new byte[64 << 10];

    public SingleWorker()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(4096);
        Address = (IPEndPoint)_listener.LocalEndPoint!;
        new Thread(Work) { IsBackground = true, Name = "single-worker" }.Start();
    }

    public IPEndPoint Address { get; }

    /// <summary>What it has served so far.</summary>
    public IReadOnlyCollection<ServedRequest> Served => _served;

    public void Dispose() => _listener.Dispose();

    private void Work()
    {
        try
        {
            while (true)
            {
                using var connection = _listener.Accept();
                Serve(connection);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It was ended.
        }
    }

    private void Serve(Socket connection)
    {
        var began = TimeProvider.System.GetTimestamp();
        try
        {
            var line = Read(connection, out var bodyLength);
            Answer(connection, line);
            _served.Enqueue(new ServedRequest(line, bodyLength, TimeProvider.System.GetElapsedTime(began)));
            connection.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The other side is gone.
        }
    }

    // POST /path HTTP/1.1 ... Content-Length: 123
    private string Read(Socket connection, out long bodyLength)
    {
        var head = "";
        while (!head.Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            head += Encoding.Latin1.GetString(_buffer, 0, Receive(connection));
        }

        var end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        var length = head[..end].Split("\r\n").FirstOrDefault(field => field.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        bodyLength = length is null ? 0 : long.Parse(length.Split(':')[1], CultureInfo.InvariantCulture);
        for (var received = (long)head.Length - end; received < bodyLength;)
        {
            received += Receive(connection);
        }

        return head.Split("\r\n")[0];
    }

    private int Receive(Socket connection) => connection.Receive(_buffer) is > 0 and var count ? count : throw new SocketException((int)SocketError.ConnectionReset);

    private static void Answer(Socket connection, string line)
    {
        var path = line.Split(' ')[1];
        var length = path.StartsWith("/bytes/", StringComparison.Ordinal) ? long.Parse(path.AsSpan(7), CultureInfo.InvariantCulture) : 2;
        connection.Send(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{(length == 2 ? "ok" : "")}"));
        for (var left = length == 2 ? 0 : length; left > 0;)
        {
            left -= connection.Send(Block.AsSpan(0, (int)Math.Min(left, Block.Length)));
        }
    }
}

/// <summary>A request that was served.</summary>
/// <param name="Line">Its first line.</param>
/// <param name="BodyLength">Bytes of its body.</param>
/// <param name="Occupied">For how long it occupied the worker.</param>
public sealed record ServedRequest(string Line, long BodyLength, TimeSpan Occupied);
