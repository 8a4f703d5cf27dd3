using System.IO.Pipelines;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.IntegrationTests.Lab;
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
    private readonly ClientListener _listener;
    private readonly Channel<Served> _served = Channel.CreateUnbounded<Served>();
    private readonly TaskCompletionSource _isOver = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RestingConnectionTests()
    {
        _descriptors = new DescriptorLimit(_time);
        _clients = new ClientConnections(_descriptors);
        _transport = new LoopTransport(1, "test-loop", _time, _clients, NullLogger<ClientListener>.Instance);
        _listener = _transport.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Begin(ServeAsync, new FeatureCollection());
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        _isOver.SetResult();
        await _transport.EndAsync(now.Token);
        _transport.Dispose();
        _descriptors.Dispose();
    }

    [Fact]
    public async Task Connection_on_which_nothing_moves_ends_for_its_server_and_comes_again_with_the_next_bytes()
    {
        await using var client = await ConnectAsync();
        var server = await AcceptAsync(client, "one");
        Assert.Equal(0, _clients.LetGo);

        var last = await RestAsync(server);
        Assert.True(last is { IsCompleted: true, Buffer.IsEmpty: true });
        await PassAsync(4);
        Assert.Equal(1, _clients.LetGo);

        var again = await AcceptAsync(client, "two");
        Assert.NotSame(server.Connection, again.Connection);
        Assert.Same(StateOf(server), StateOf(again));
        Assert.Equal(1, _clients.Report()["idle"]);
    }

    [Fact]
    public async Task Connection_whose_request_runs_is_left_to_its_server()
    {
        await using var client = await ConnectAsync();
        var server = await AcceptAsync(client, "one");
        StateOf(server).Enter(ClientConnectionState.Active);
        var next = server.Input.ReadAsync().AsTask();

        await PassAsync(4);
        await client.SendAsync("two");

        var read = await next.WaitAsync(Limit, TimeProvider.System);
        Assert.Equal("two", Encoding.ASCII.GetString(read.Buffer.FirstSpan));
    }

    [Fact]
    public async Task Half_a_request_is_left_to_its_server()
    {
        await using var client = await ConnectAsync();
        await client.SendAsync("GET / HT");
        var server = await AcceptAsync();
        StateOf(server).Enter(ClientConnectionState.Idle);
        var half = await server.Input.ReadAsync();
        server.Input.AdvanceTo(half.Buffer.Start, half.Buffer.End);
        var next = server.Input.ReadAsync().AsTask();

        await PassAsync(4);
        await client.SendAsync("TP/1.1");

        var read = await next.WaitAsync(Limit, TimeProvider.System);
        Assert.Equal("GET / HTTP/1.1", Encoding.ASCII.GetString(read.Buffer.FirstSpan));
    }

    [Fact]
    public async Task What_a_load_balancer_said_about_a_connection_holds_when_it_has_rested()
    {
        var protocol = new ProxyProtocol(Limit, Limit, _time).Watch(_ => Task.CompletedTask);
        await using var client = await ConnectAsync();
        await client.SendAsync("PROXY TCP4 192.0.2.1 127.0.0.1 4711 80\r\none");
        var server = await AcceptAsync();
        await protocol(server.Connection);
        Assert.Equal("one", await ReadAsync(server));
        await RestAsync(server);

        await client.SendAsync("two");
        var again = await AcceptAsync();
        await protocol(again.Connection);

        Assert.Equal(IPEndPoint.Parse("192.0.2.1:4711"), again.Connection.RemoteEndPoint);
        Assert.Equal("two", await ReadAsync(again));
    }

    [Fact]
    public async Task Client_that_leaves_while_its_connection_rests_is_counted_out()
    {
        var client = await ConnectAsync();
        await RestAsync(await AcceptAsync(client, "one"));

        await client.DisposeAsync();

        await Eventually.HoldsAsync("it is counted out", () => _clients.Report()["idle"] == 0);
    }

    [Fact]
    public async Task No_byte_is_lost_that_comes_while_a_connection_is_put_to_rest()
    {
        await using var client = await ConnectAsync();
        var server = await AcceptAsync(client, "x");
        for (var round = 0; round < Rounds; round++)
        {
            StateOf(server).Enter(ClientConnectionState.Idle);
            var next = server.Input.ReadAsync().AsTask();
            _time.Advance(Interval);
            var sending = client.SendAsync("y");
            _time.Advance(Interval);
            await sending;
            var read = await next.WaitAsync(Limit, TimeProvider.System);
            if (read.IsCompleted)
            {
                server.End();
                server = await AcceptAsync();
                read = await server.Input.ReadAsync();
            }

            Assert.Equal("y", Encoding.ASCII.GetString(read.Buffer.FirstSpan));
            server.Input.AdvanceTo(read.Buffer.End);
        }
    }

    [Fact]
    public async Task Server_looks_at_its_limits_of_time_each_second()
    {
        await using var client = await ConnectAsync();
        var server = await AcceptAsync(client, "one");
        var beats = 0;
        server.Connection.Features.GetRequiredFeature<IConnectionHeartbeatFeature>().OnHeartbeat(_ => beats++, server);

        _time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(3, beats);
    }

    [Fact]
    public async Task Limits_of_time_of_many_are_looked_at_in_portions_so_that_others_have_their_turns_between()
    {
        const int crowd = 200;
        var (clients, beats) = (new List<RawConnection>(), new int[crowd]);
        for (var i = 0; i < crowd; i++)
        {
            var number = i;
            clients.Add(await ConnectAsync());
            var server = await AcceptAsync(clients[i], "one");
            server.Connection.Features.GetRequiredFeature<IConnectionHeartbeatFeature>().OnHeartbeat(_ => Interlocked.Increment(ref beats[number]), server);
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(64, beats.Sum());
        await PassUntilAsync(TimeSpan.FromMilliseconds(5), () => beats.Sum() == crowd);
        Assert.All(beats, count => Assert.Equal(1, count));
        await PassUntilAsync(TimeSpan.FromMilliseconds(100), () => beats.Sum() > crowd);

        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Connections_are_asked_to_end_and_broken_off_when_their_time_is_over()
    {
        using var over = new CancellationTokenSource();
        await using var willing = await ConnectAsync();
        var ends = await AcceptAsync(willing, "one");
        await using var unwilling = await ConnectAsync();
        var stays = await AcceptAsync(unwilling, "two");
        var next = stays.Input.ReadAsync().AsTask();
        await using var silent = await ConnectAsync();
        await Eventually.HoldsAsync("all are taken", () => _clients.Report()["new"] == 3);

        var ending = _listener.EndAsync(over.Token);
        Assert.True(ends.Connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested.IsCancellationRequested);
        ends.End();
        await willing.WaitForEndAsync();
        await silent.WaitForEndAsync();
        Assert.False(ending.IsCompleted || next.IsCompleted);
        await over.CancelAsync();
        await Assert.ThrowsAsync<IOException>(() => next.WaitAsync(Limit, TimeProvider.System));
        stays.End();

        await ending.WaitAsync(Limit, TimeProvider.System);
    }

    [Fact]
    public async Task Failure_of_the_server_ends_the_connection()
    {
        await using var client = await ConnectAsync();
        var server = await AcceptAsync(client, "one");

        server.Fail();

        await client.WaitForEndAsync();
        await Eventually.HoldsAsync("it is counted out", () => _clients.Report()["new"] == 0);
    }

    // A connection is served until the test says that it has done with it, or ends.
    private async Task ServeAsync(ConnectionContext connection)
    {
        var served = new Served(connection);
        _served.Writer.TryWrite(served);
        await await Task.WhenAny(served.Ended, _isOver.Task);
    }

    private Task PassUntilAsync(TimeSpan step, Func<bool> holds) => Eventually.HoldsAsync("time has passed", () =>
    {
        _time.Advance(step);
        return holds();
    });

    private Task<RawConnection> ConnectAsync() => RawConnection.ConnectAsync((IPEndPoint)_listener.EndPoint);

    private async Task<Served> AcceptAsync() => await _served.Reader.ReadAsync().AsTask().WaitAsync(Limit, TimeProvider.System);

    private async Task<Served> AcceptAsync(RawConnection client, string first)
    {
        await client.SendAsync(first);
        var served = await AcceptAsync();
        Assert.Equal(first, await ReadAsync(served));
        return served;
    }

    private async Task<ReadResult> RestAsync(Served server)
    {
        StateOf(server).Enter(ClientConnectionState.Idle);
        var last = server.Input.ReadAsync().AsTask();
        await PassUntilAsync(last);
        server.End();
        return await last;
    }

    private static async Task<string> ReadAsync(Served server)
    {
        var read = await server.Input.ReadAsync().AsTask().WaitAsync(Limit, TimeProvider.System);
        var text = Encoding.ASCII.GetString(read.Buffer.FirstSpan);
        server.Input.AdvanceTo(read.Buffer.End);
        return text;
    }

    private static ClientConnection StateOf(Served server) => server.Connection.Features.Get<ClientConnection>()!;

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

    private sealed record Served(ConnectionContext Connection)
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PipeReader Input => Connection.Transport.Input;

        public Task Ended => _ended.Task;

        public void End() => _ended.TrySetResult();

        public void Fail() => _ended.TrySetException(new InvalidOperationException("It failed."));
    }
}
