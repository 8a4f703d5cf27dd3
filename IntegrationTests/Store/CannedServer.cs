using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>A server on a loopback port that answers each request with what it was given, to play what a real S3 server rarely does.</summary>
internal sealed class CannedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Func<string, string?> _answer;
    private readonly bool _closes;

    /// <summary>Starts the server.</summary>
    /// <param name="answer">The whole answer to a request line; <see langword="null"/>: none, ever.</param>
    /// <param name="closes">Whether the connection is closed after the answer.</param>
    public CannedServer(Func<string, string?> answer, bool closes = true)
    {
        _answer = answer;
        _closes = closes;
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>The request lines so far.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    public static string Error(int status, string code) =>
        Answer($"{status} Refused", $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as the test wanted</Message></Error>");

    public static string Answer(string status, string body, string headers = "", int missingBytes = 0) =>
        $"HTTP/1.1 {status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body) + missingBytes}\r\nConnection: close\r\nETag: \"{ETagOf(body)}\"\r\n{headers}\r\n{body}";

    /// <summary>The ETag that S3 gives to a text.</summary>
#pragma warning disable CA5351 // S3 defines its ETags by MD5; nothing relies on it for security.
    public static string ETagOf(string body) => Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(body)));
#pragma warning restore CA5351

    public void Dispose()
    {
        _stopped.Cancel();
        _listener.Dispose();
        _stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stopped.Token));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            await using var stream = client.GetStream();
            var line = await ReadRequestAsync(stream);
            Requests.Enqueue(line);
            var answer = _answer(line);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer ?? ""), _stopped.Token);
            if (answer is null || !_closes)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stopped.Token);
            }
        }
    }

    /// <summary>Reads a request whole, so that closing the connection resets nothing.</summary>
    private async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        var line = await reader.ReadLineAsync(_stopped.Token) ?? "";
        var bodyLength = 0;
        while (await reader.ReadLineAsync(_stopped.Token) is { Length: > 0 } header)
        {
            if (header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            {
                bodyLength = int.Parse(header.AsSpan("Content-Length:".Length), provider: null);
            }
        }

        if (bodyLength > 0)
        {
            await reader.ReadBlockAsync(new char[bodyLength], _stopped.Token);
        }

        return line;
    }
}
