using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What an application does with a request.</summary>
/// <param name="Bytes">What it sends.</param>
/// <param name="Then">What becomes of the connection after that.</param>
internal sealed record ApplicationAnswer(string Bytes, After Then = After.Keep);

/// <summary>What becomes of a connection.</summary>
internal enum After
{
    Keep,
    Close,
    Reset,
}

/// <summary>An application that takes strict HTTP/1.1 only, and notes what reached it: messages, and whatever isn't one.</summary>
internal sealed class StrictApplication : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _arrived = new();
    private int _connections;
    private int _requests;

    public StrictApplication()
    {
        _listener.Start(512);
        _ = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>How it answers a request; by default with the request's number among all that arrived.</summary>
    public Func<StrictMessage, int, ApplicationAnswer> Answer { get; set; } = static (_, number) => Numbered(number);

    /// <summary>How a request is noted.</summary>
    public Func<StrictMessage, int, string> Note { get; set; } = static (request, _) => Reading(request);

    /// <summary>Connections that were made to it so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Whole requests that arrived so far.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public static ApplicationAnswer Numbered(int number) => new($"HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Length: 2\r\n\r\nok");

    /// <summary>A request in one line, less what every request has: Host a, and what the Proxy says about a client on the loopback.</summary>
    public static string Reading(StrictMessage request) => request.Render(field => !IsUsual(field, request.Value("Host")));

    /// <summary>What has arrived, in order, and is now forgotten.</summary>
    public IReadOnlyList<string> TakeArrived()
    {
        var all = new List<string>();
        while (_arrived.TryDequeue(out var one))
        {
            all.Add(one);
        }

        return all;
    }

    public void Dispose() => _listener.Dispose();

    private static bool IsUsual(Field field, string? host) => field.Name.ToLowerInvariant() switch
    {
        "host" => field.Value == "a",
        "x-forwarded-for" or "x-real-ip" => field.Value == "127.0.0.1",
        "x-forwarded-proto" => field.Value == "http",
        "x-forwarded-host" => field.Value == host,
        "x-request-id" => field.Value.Length == 32 && field.Value.All(char.IsAsciiHexDigitLower),
        "x-request-start" => field.Value.StartsWith("t=", StringComparison.Ordinal) && field.Value[2..].All(char.IsAsciiDigit),
        "content-length" or "transfer-encoding" => true,
        _ => false,
    };

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync();
                socket.NoDelay = true;
                _ = ServeAsync(new WireConnection(socket), Interlocked.Increment(ref _connections));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(WireConnection connection, int number)
    {
        using (connection)
        {
            try
            {
                while (await ReadAsync(connection) is { } request && await AnswerAsync(connection, request, number))
                {
                }
            }
            catch (NotStrictException e)
            {
                _arrived.Enqueue($"not HTTP: {e.Message} {Encoding.Latin1.GetString(connection.Unread)}");
            }
            catch (Exception e) when (e is TimeoutException or ObjectDisposedException or SocketException)
            {
                // The Proxy keeps the connection no longer than that.
            }
        }
    }

    private async Task<StrictMessage?> ReadAsync(WireConnection connection)
    {
        var saidContinue = false;
        while (true)
        {
            var request = StrictReader.ReadRequest(connection.Unread);
            RequireFromProxy(request);
            if (request is { IsWhole: true })
            {
                connection.Take(request.Length);
                return request;
            }

            if (!saidContinue && request?.Value("Expect") is { } expect && expect.Equals("100-continue", StringComparison.OrdinalIgnoreCase))
            {
                saidContinue = true;
                await connection.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
            }

            if (!await connection.ReceiveAsync())
            {
                NoteBrokenOff(connection, request);
                return null;
            }
        }
    }

    // What strict clients may say to a proxy, but a proxy not to an application.
    private static void RequireFromProxy(StrictMessage? request)
    {
        if (request is not null && (!request.Target.StartsWith('/') || !request.Start.EndsWith(" HTTP/1.1", StringComparison.Ordinal)))
        {
            throw new NotStrictException("It should be HTTP/1.1 with a path.");
        }
    }

    private void NoteBrokenOff(WireConnection connection, StrictMessage? request)
    {
        if (request is not null)
        {
            Enqueue(request, 0);
        }
        else if (connection.Unread.Length > 0)
        {
            _arrived.Enqueue($"{Encoding.Latin1.GetString(connection.Unread)}~");
        }
    }

    private void Enqueue(StrictMessage request, int connection) =>
        _arrived.Enqueue(Note(request, connection).Replace(Address.ToString(), "the application's own address", StringComparison.Ordinal));

    private async Task<bool> AnswerAsync(WireConnection connection, StrictMessage request, int number)
    {
        Enqueue(request, number);
        var answer = Answer(request, Interlocked.Increment(ref _requests));
        await connection.SendAsync(answer.Bytes);
        if (answer.Then == After.Reset)
        {
            connection.Reset();
        }

        return answer.Then == After.Keep;
    }
}
