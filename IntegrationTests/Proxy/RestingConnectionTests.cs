using System.Net;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Connections between two requests: whoever serves them forgets them, and gets them anew when their clients send something.</summary>
public sealed class RestingConnectionTests : IAsyncDisposable
{
    private const int Rounds = 300;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly DescriptorLimit _descriptors;
    private readonly ClientConnections _clients;
    private readonly LoopTransport _transport;

    public RestingConnectionTests()
    {
        _descriptors = new DescriptorLimit(_time);
        _clients = new ClientConnections(_descriptors);
        _transport = new LoopTransport(1, "test-loop", _time, _clients);
    }

    public ValueTask DisposeAsync()
    {
        _transport.Dispose();
        _descriptors.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Connection_on_which_nothing_moves_ends_for_its_server_and_comes_again_with_the_next_bytes()
    {
        await using var listener = await ListenAsync();
        await using var client = await ConnectAsync(listener);
        await client.SendAsync("one");
        var server = await AcceptAsync(listener);
        Assert.Equal("one", await ReadAsync(server));
        StateOf(server).Enter(ClientConnectionState.Idle);
        var next = server.Transport.Input.ReadAsync().AsTask();

        await PassUntilAsync(next);
        Assert.True((await next) is { IsCompleted: true, Buffer.IsEmpty: true });
        await server.DisposeAsync();
        await client.SendAsync("two");

        await using var again = await AcceptAsync(listener);
        Assert.NotSame(server, again);
        Assert.Equal("two", await ReadAsync(again));
        Assert.Same(StateOf(server), StateOf(again));
        Assert.Equal(1, _clients.Report()["idle"]);
    }

    [Fact]
    public async Task Connection_whose_request_runs_is_left_to_its_server()
    {
        await using var listener = await ListenAsync();
        await using var client = await ConnectAsync(listener);
        await client.SendAsync("one");
        await using var server = await AcceptAsync(listener);
        Assert.Equal("one", await ReadAsync(server));
        StateOf(server).Enter(ClientConnectionState.Active);
        var next = server.Transport.Input.ReadAsync().AsTask();

        await PassAsync(4);
        await client.SendAsync("two");

        var read = await next.WaitAsync(Limit, TimeProvider.System);
        Assert.Equal("two", Encoding.ASCII.GetString(read.Buffer.FirstSpan));
    }

    [Fact]
    public async Task Half_a_request_is_left_to_its_server()
    {
        await using var listener = await ListenAsync();
        await using var client = await ConnectAsync(listener);
        await client.SendAsync("GET / HT");
        await using var server = await AcceptAsync(listener);
        StateOf(server).Enter(ClientConnectionState.Idle);
        var half = await server.Transport.Input.ReadAsync();
        server.Transport.Input.AdvanceTo(half.Buffer.Start, half.Buffer.End);
        var next = server.Transport.Input.ReadAsync().AsTask();

        await PassAsync(4);
        await client.SendAsync("TP/1.1");

        var read = await next.WaitAsync(Limit, TimeProvider.System);
        Assert.Equal("GET / HTTP/1.1", Encoding.ASCII.GetString(read.Buffer.FirstSpan));
    }

    [Fact]
    public async Task What_a_load_balancer_said_about_a_connection_holds_when_it_has_rested()
    {
        var source = IPEndPoint.Parse("192.0.2.1:4711");
        await using var listener = await ListenAsync();
        await using var client = await ConnectAsync(listener);
        await client.SendAsync("PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\none");
        var server = await AcceptAsync(listener);
        await new ProxyProtocol(Limit, Limit, _time).Watch(_ => Task.CompletedTask)(server);
        Assert.Equal("one", await ReadAsync(server));
        StateOf(server).Enter(ClientConnectionState.Idle);
        await PassUntilAsync(server.Transport.Input.ReadAsync().AsTask());
        await server.DisposeAsync();

        await client.SendAsync("two");
        await using var again = await AcceptAsync(listener);
        await new ProxyProtocol(Limit, Limit, _time).Watch(_ => Task.CompletedTask)(again);

        Assert.Equal(source, again.RemoteEndPoint);
        Assert.Equal("two", await ReadAsync(again));
    }

    [Fact]
    public async Task Client_that_leaves_while_its_connection_rests_is_counted_out()
    {
        await using var listener = await ListenAsync();
        var client = await ConnectAsync(listener);
        await client.SendAsync("one");
        var server = await AcceptAsync(listener);
        Assert.Equal("one", await ReadAsync(server));
        StateOf(server).Enter(ClientConnectionState.Idle);
        var next = server.Transport.Input.ReadAsync().AsTask();
        await PassUntilAsync(next);
        await server.DisposeAsync();

        await client.DisposeAsync();

        await Lab.Eventually.HoldsAsync("it is counted out", () => _clients.Report()["idle"] == 0);
    }

    [Fact]
    public async Task No_byte_is_lost_that_comes_while_a_connection_is_put_to_rest()
    {
        await using var listener = await ListenAsync();
        await using var client = await ConnectAsync(listener);
        await client.SendAsync("x");
        var server = await AcceptAsync(listener);
        Assert.Equal("x", await ReadAsync(server));
        for (var round = 0; round < Rounds; round++)
        {
            StateOf(server).Enter(ClientConnectionState.Idle);
            var next = server.Transport.Input.ReadAsync().AsTask();
            _time.Advance(Interval);
            var sending = client.SendAsync("y");
            _time.Advance(Interval);
            await sending;
            var read = await next.WaitAsync(Limit, TimeProvider.System);
            if (read.IsCompleted)
            {
                await server.DisposeAsync();
                server = await AcceptAsync(listener);
                read = await server.Transport.Input.ReadAsync();
            }

            Assert.Equal("y", Encoding.ASCII.GetString(read.Buffer.FirstSpan));
            server.Transport.Input.AdvanceTo(read.Buffer.End);
        }

        await server.DisposeAsync();
    }

    private async Task<IConnectionListener> ListenAsync() => await _transport.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));

    private static Task<RawConnection> ConnectAsync(IConnectionListener listener) => RawConnection.ConnectAsync((IPEndPoint)listener.EndPoint);

    private static async Task<ConnectionContext> AcceptAsync(IConnectionListener listener) =>
        (await listener.AcceptAsync().AsTask().WaitAsync(Limit, TimeProvider.System))!;

    private static async Task<string> ReadAsync(ConnectionContext server)
    {
        var read = await server.Transport.Input.ReadAsync().AsTask().WaitAsync(Limit, TimeProvider.System);
        var text = Encoding.ASCII.GetString(read.Buffer.FirstSpan);
        server.Transport.Input.AdvanceTo(read.Buffer.End);
        return text;
    }

    private static ClientConnection StateOf(ConnectionContext server) => server.Features.Get<ClientConnection>()!;

    private async Task PassUntilAsync(Task task)
    {
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        while (!task.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            await PassAsync(1);
        }
    }

    // Some real time as well, in which the loop does what it is told.
    private async Task PassAsync(int intervals)
    {
        for (var i = 0; i < intervals; i++)
        {
            _time.Advance(Interval);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}
