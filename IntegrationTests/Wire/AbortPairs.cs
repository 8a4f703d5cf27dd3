using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Clients and an application whose connections belong together, so that one of both can leave and the other be watched.</summary>
internal sealed class AbortPairs : IAsyncDisposable
{
    private static readonly TimeSpan ArrivalLimit = TimeSpan.FromSeconds(10);

    private readonly Func<Task<WireConnection>> _connectAsync;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<WireConnection>> _awaited = new();
    private int _count;

    private AbortPairs(Func<Task<WireConnection>> connectAsync)
    {
        _connectAsync = connectAsync;
        _listener.Start(512);
        _ = AcceptAsync();
    }

    /// <param name="connectAsync">Connects a client to the Proxy.</param>
    /// <param name="switchAsync">Makes the Proxy send requests to an address.</param>
    public static async Task<AbortPairs> StartAsync(Func<Task<WireConnection>> connectAsync, Func<IPEndPoint, Task> switchAsync)
    {
        var pairs = new AbortPairs(connectAsync);
        await switchAsync((IPEndPoint)pairs._listener.LocalEndpoint);
        return pairs;
    }

    /// <summary>Begins an exchange, lets one side leave it, and waits until the other side has noticed.</summary>
    /// <exception cref="TimeoutException">It didn't within the limit.</exception>
    public async Task AbortAsync(AbortRow row, TimeSpan limit)
    {
        using var client = await _connectAsync();
        if (!row.Arrives)
        {
            await client.SendAsync(row.Request);
            await LeaveAsync(row.Who, client, client);
            return;
        }

        using var application = await BeginAsync(client, row);
        await LeaveAsync(row.Who, client, application);
        var other = row.Who is Leaves.ClientResets or Leaves.ClientCloses ? application : client;
        await RequireEndAsync(other, limit).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    // Both sides are where the row wants them to be when one leaves.
    private async Task<WireConnection> BeginAsync(WireConnection client, AbortRow row)
    {
        var target = $"/{Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture)}";
        var awaited = _awaited[target] = new TaskCompletionSource<WireConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = client.SendAsync(row.Request.Replace("/id", target, StringComparison.Ordinal));
        var application = await awaited.Task.WaitAsync(ArrivalLimit, TimeProvider.System);
        if (row.Answer.Length > 0)
        {
            _ = application.SendAsync(row.Answer);
            Assert.True(await client.ReceiveAsync());
        }

        return application;
    }

    private static async Task LeaveAsync(Leaves who, WireConnection client, WireConnection application)
    {
        var side = who is Leaves.ClientResets or Leaves.ClientCloses ? client : application;
        if (who is Leaves.ClientResets or Leaves.ApplicationResets)
        {
            side.Reset();
        }
        else
        {
            await side.CloseAsync();
        }
    }

    // To the client a 502 says it too.
    private static async Task RequireEndAsync(WireConnection other, TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!Encoding.Latin1.GetString(other.Unread).StartsWith("HTTP/1.1 502 ", StringComparison.Ordinal))
        {
            var left = limit - TimeProvider.System.GetElapsedTime(began);
            if (!await other.ReceiveAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                return;
            }
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ReceiveAsync(new WireConnection(await _listener.AcceptSocketAsync()));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    // The probe of the Proxy is answered; requests are handed over with the connection that they came on.
    private async Task ReceiveAsync(WireConnection connection)
    {
        try
        {
            var head = "";
            while (!head.Contains("\r\n\r\n", StringComparison.Ordinal) && await connection.ReceiveAsync())
            {
                head = Encoding.Latin1.GetString(connection.Unread);
            }

            if (head.Length > 0 && _awaited.TryRemove(head.Split(' ')[1], out var awaited))
            {
                awaited.SetResult(connection);
                return;
            }

            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        catch (Exception e) when (e is TimeoutException or SocketException or ObjectDisposedException)
        {
            // The Proxy keeps the connection for a request that doesn't come.
        }

        connection.Dispose();
    }
}
