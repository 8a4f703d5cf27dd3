using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>An application that answers the Proxy's probe by itself and hands every other connection to the test, with the request unread.</summary>
internal sealed class RawBackend : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Channel<RawConnection> _connections = Channel.CreateUnbounded<RawConnection>();
    private readonly ConcurrentBag<RawConnection> _accepted = [];
    private int _probes;

    /// <param name="address">Where it listens; absent: at a free port.</param>
    public RawBackend(IPEndPoint? address = null)
    {
        _listener = new TcpListener(address ?? new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Start();
        _ = AcceptAsync();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>Whether the next probe is answered here. A request that is forwarded meanwhile is the test's.</summary>
    public bool ExpectsProbe { get; set; } = true;

    public int Probes => _probes;

    /// <summary>Connections accepted so far, those of probes aside.</summary>
    public int Accepted { get; private set; }

    public string ProbeAnswer { get; set; } = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    /// <summary>The head of the probe's request.</summary>
    public string? ProbeRequest { get; private set; }

    /// <summary>The next connection that the Proxy makes. It stays open until it or this is disposed, whether or not the test has further use for it.</summary>
    public async Task<RawConnection> AcceptedAsync() =>
        await _connections.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);

    /// <summary>The next connection on which the head of a request comes, which is read; those that are closed before are passed over.</summary>
    public async Task<RawConnection> AcceptedSendingAsync()
    {
        while (true)
        {
            var connection = await AcceptedAsync();
            if (await connection.TryReadHeadAsync() is not null)
                return connection;
            await connection.DisposeAsync();
        }
    }

    /// <summary>Answers every request on every connection from now on with the same bytes.</summary>
    public void AnswerAll(string answer) => AnswerAll(_ => answer);

    /// <summary>Answers every request on every connection from now on by what was asked for.</summary>
    public void AnswerAll(Func<string, string> answer) => _ = AnswerAllAsync(answer);

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var connection in _accepted)
            await connection.DisposeAsync();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = new RawConnection(await _listener.AcceptSocketAsync());
                if (ExpectsProbe && await IsProbeAsync(connection))
                {
                    ExpectsProbe = false;
                    await AnswerProbeAsync(connection);
                }
                else
                {
                    Accepted++;
                    _accepted.Add(connection);
                    await _connections.Writer.WriteAsync(connection);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    // What is forwarded says for whom.
    private static async Task<bool> IsProbeAsync(RawConnection connection) =>
        await connection.PeekAsync() is { Length: > 0 } head && !head.Contains("\r\nX-Forwarded-For: ", StringComparison.Ordinal);

    private async Task AnswerProbeAsync(RawConnection connection)
    {
        ProbeRequest = await connection.ReadHeadAsync();
        await connection.SendAsync(ProbeAnswer);
        await connection.DisposeAsync();
        _probes++;
    }

    private async Task AnswerAllAsync(Func<string, string> answer)
    {
        await foreach (var connection in _connections.Reader.ReadAllAsync())
        {
            _ = AnswerConnectionAsync(connection, answer);
        }
    }

    private static async Task AnswerConnectionAsync(RawConnection connection, Func<string, string> answer)
    {
        try
        {
            while (true)
            {
                await connection.SendAsync(answer(await connection.ReadMessageAsync()));
            }
        }
        catch (Exception)
        {
            await connection.DisposeAsync();
        }
    }
}
