using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Applications that take only so many requests at once.</summary>
public sealed class RequestQueueTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    private const string Events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
    private const string Switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    private const string WebSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task Application_gets_no_more_requests_at_once_than_it_takes_and_the_others_in_the_order_in_which_they_came()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 2 });
        await using var first = await RunAsync(proxy, backend, "/1");
        await using var second = await RunAsync(proxy, backend, "/2");
        var waiting = await QueueAsync(proxy, 4);

        Assert.Equal((2, 2), (backend.Accepted, (await proxy.StateAsync()).Targets[0].InFlight));
        var running = first.Application;
        for (var i = 0; i < waiting.Count; i++)
        {
            await running.SendAsync(Ok);
            running = await backend.AcceptedAsync();
            Assert.StartsWith($"GET /waiting/{i} ", await running.ReadHeadAsync(), StringComparison.Ordinal);
            Assert.Equal(waiting.Count - i - 1, (await proxy.StateAsync()).Queued);
        }

        await running.SendAsync(Ok);
        Assert.All(await Task.WhenAll(waiting.Select(client => client.ReadMessageAsync())), answer => Assert.EndsWith("ok", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Streams_wait_and_go_on_in_the_same_way()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1, MaxQueued = 2 });
        await using var first = await RunAsync(proxy, backend, "/1");
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);
        for (var stream = 1; stream <= 5; stream += 2)
        {
            await client.SendHeadersAsync(stream, Http2Connection.Get($"/{stream}"));
            await proxy.UntilAsync(state => state.Queued == Math.Min(2, (stream + 1) / 2));
        }

        Assert.Equal(503, (await client.AnswerAsync(5)).Status);
        await first.Application.SendAsync(Ok);
        foreach (var stream in new[] { 1, 3 })
        {
            await using var next = await backend.AcceptedAsync();
            Assert.StartsWith($"GET /{stream} ", await next.ReadHeadAsync(), StringComparison.Ordinal);
            await next.SendAsync(Ok);
            Assert.Equal((200, "ok"), await client.AnswerAsync(stream));
        }
    }

    [Fact]
    public async Task Request_that_finds_the_queue_full_is_told_when_to_come_again()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1, MaxQueued = 1 });
        await using var first = await RunAsync(proxy, backend, "/1");
        var waiting = await QueueAsync(proxy, 1);

        var answer = await proxy.ExchangeAsync(Get("/late"));

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 5\r\n", answer, StringComparison.Ordinal);
        await first.Application.SendAsync(Ok);
        await using var next = await backend.AcceptedAsync();
        Assert.StartsWith("GET /waiting/0 ", await next.ReadHeadAsync(), StringComparison.Ordinal);
        await next.SendAsync(Ok);
        await waiting[0].ReadMessageAsync();
        var state = await proxy.UntilAsync(s => s.Targets[0].Traffic.Requests == 2);
        Assert.Equal((1, 0), (state.Total.ByStatus[503], state.Targets[0].Traffic.ByStatus.GetValueOrDefault(503)));
    }

    [Fact]
    public async Task Request_that_has_waited_for_as_long_as_it_may_is_told_when_to_come_again_and_the_application_never_sees_it()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1, QueueTimeout = Short });
        await using var first = await RunAsync(proxy, backend, "/1");

        var answer = await proxy.ExchangeAsync(Get("/late"));

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 5\r\n", answer, StringComparison.Ordinal);
        Assert.Equal((1, 0), (backend.Accepted, (await proxy.StateAsync()).Queued));
    }

    [Fact]
    public async Task Client_that_leaves_makes_room_for_the_one_behind_it()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });
        await using var first = await RunAsync(proxy, backend, "/1");
        var waiting = await QueueAsync(proxy, 2);

        await waiting[0].DisposeAsync();
        await proxy.UntilAsync(state => state.Queued == 1);
        await first.Application.SendAsync(Ok);

        await using var next = await backend.AcceptedAsync();
        Assert.StartsWith("GET /waiting/1 ", await next.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal(1, (await proxy.StateAsync()).Total.ByStatus[499]);
    }

    [Fact]
    public async Task Requests_that_wait_when_traffic_moves_get_the_places_of_the_new_release_and_hold_up_no_drain()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });
        await using var first = await RunAsync(proxy, backend, "/1");
        var waiting = await QueueAsync(proxy, 3);
        await using var next = new RawBackend();

        await ServeAsync(proxy, next, new Limits { MaxRequestsInFlight = 2 }, "c2");

        await using var one = await next.AcceptedAsync();
        await using var two = await next.AcceptedAsync();
        string[] heads = [await one.ReadHeadAsync(), await two.ReadHeadAsync()];
        Assert.Equal(["GET /waiting/0 HTTP/1.1", "GET /waiting/1 HTTP/1.1"], heads.Select(head => head.Split("\r\n")[0]).Order(StringComparer.Ordinal));
        Assert.Equal((1, 1), ((await proxy.StateAsync()).Queued, (await proxy.StateAsync()).Targets[1].InFlight));
        await first.Application.SendAsync(Ok);
        Assert.EndsWith("ok", await first.Client.ReadMessageAsync(), StringComparison.Ordinal);

        // A place on the replaced release is none for who waits.
        Assert.Equal((1, 1), (backend.Accepted, (await proxy.UntilAsync(state => state.Targets[1].InFlight == 0)).Queued));
        await one.SendAsync(Ok);
        await using var last = await next.AcceptedSendingAsync();
        await last.SendAsync(Ok);
        Assert.EndsWith("ok", await waiting[2].ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Accept: text/event-stream\r\n", Events)]
    [InlineData(WebSocket, Switched)]
    public async Task What_stays_open_takes_a_place_until_it_has_begun(string header, string beginning)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });
        await using var stream = await proxy.ConnectAsync();
        await stream.SendAsync($"GET /stream HTTP/1.1\r\nHost: a\r\n{header}\r\n");
        await using var open = await backend.AcceptedSendingAsync();
        var waiting = await QueueAsync(proxy, 1);

        await open.SendAsync(beginning);

        await using var next = await backend.AcceptedAsync();
        Assert.StartsWith("GET /waiting/0 ", await next.ReadHeadAsync(), StringComparison.Ordinal);
        await open.DisposeAsync();
        await proxy.UntilAsync(state => state.Targets[0].Streams == 0);
        var behind = await QueueAsync(proxy, 1);
        await next.SendAsync(Ok);
        await waiting[0].ReadMessageAsync();
        await using var last = await backend.AcceptedSendingAsync();
        await last.SendAsync(Ok);
        await behind[0].ReadMessageAsync();
    }

    [Fact]
    public async Task Path_of_the_health_check_needs_no_place()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", snapshot =>
        {
            snapshot.Limits = new Limits { MaxRequestsInFlight = 1 };
            snapshot.Target!.Probe.Path = "/up";
        });
        await using var first = await RunAsync(proxy, backend, "/1");
        await using var waiting = await proxy.ConnectAsync();
        await waiting.SendAsync(Get("/other"));
        await proxy.UntilAsync(state => state.Queued == 1);

        await using var healthy = await RunAsync(proxy, backend, "/up?from=balancer");
        await healthy.Application.SendAsync(Ok);
        Assert.EndsWith("ok", await healthy.Client.ReadMessageAsync(), StringComparison.Ordinal);

        Assert.Equal(1, (await proxy.StateAsync()).Queued);
    }

    [Fact]
    public async Task Limit_that_is_lifted_lets_all_go_on()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });
        await using var first = await RunAsync(proxy, backend, "/1");
        var waiting = await QueueAsync(proxy, 3);

        backend.AnswerAll(Ok);
        await ServeAsync(proxy, backend, new Limits());

        Assert.All(await Task.WhenAll(waiting.Select(client => client.ReadMessageAsync())), answer => Assert.EndsWith("ok", answer, StringComparison.Ordinal));
        await first.Application.SendAsync(Ok);
        await first.Client.ReadMessageAsync();

        // Nothing is left of the former count.
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });
        Assert.EndsWith("ok", await proxy.ExchangeAsync(Get("/again")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_wait_for_a_place_wait_on_in_a_pause_and_are_all_answered_after_it()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        void Pause(ApplicationSnapshot snapshot) =>
            (snapshot.Limits, snapshot.HoldTimeout, snapshot.IsPaused) = (new Limits { MaxRequestsInFlight = 1 }, TimeSpan.FromMinutes(1), true);
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });
        await using var first = await RunAsync(proxy, backend, "/1");
        var waiting = await QueueAsync(proxy, 3);
        await proxy.SwitchAsync(backend.Address, "c1", Pause);
        await first.Application.SendAsync(Ok);
        await first.Client.ReadMessageAsync();
        await proxy.UntilAsync(state => (state.Queued, state.Waiting) == (0, 3));

        backend.AnswerAll(Ok);
        await ServeAsync(proxy, backend, new Limits { MaxRequestsInFlight = 1 });

        Assert.All(await Task.WhenAll(waiting.Select(client => client.ReadMessageAsync())), answer => Assert.EndsWith("ok", answer, StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_place_is_given_twice_and_none_is_lost_whatever_happens_at_once()
    {
        const int most = 3;
        using var loop = new EventLoop("test-loop");
        var queue = new RequestQueue(TimeProvider.System);
        var places = new Places(queue);
        queue.Serve(places, new Limits { MaxRequestsInFlight = most, MaxQueued = 10_000 });
        var (running, mostRunning) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 16).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 500; i++)
            {
                if (!places.TryTake() && !await WaitAsync(queue, loop, random))
                    continue;
                InterlockedMax(ref mostRunning, Interlocked.Increment(ref running));
                await Task.Yield();
                Interlocked.Decrement(ref running);
                places.Leave();
            }
        })));

        Assert.InRange(mostRunning, 1, most);
        Assert.Equal((0, 0), (places.Taken, queue.Count));
    }

    // Some leave in the middle of their wait, or just when they are given a place.
    private static async Task<bool> WaitAsync(RequestQueue queue, EventLoop loop, Random random)
    {
        using var left = new CancellationTokenSource();
        using var waiting = queue.TryEnter(loop, 100, isAgain: false, random.Next(4) == 0 ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromMinutes(1), left.Token)!;
        if (random.Next(4) == 0)
            await left.CancelAsync();
        return await waiting.WaitAsync() && waiting.TakePlace() is not null;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    private static string Get(string path) => $"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private static async Task ServeAsync(RunningProxy proxy, RawBackend backend, Limits limits, string container = "c1") =>
        await proxy.SwitchAsync(backend.Address, container, snapshot => snapshot.Limits = limits);

    private static async Task<Running> RunAsync(RunningProxy proxy, RawBackend backend, string path)
    {
        var client = await proxy.ConnectAsync();
        await client.SendAsync(Get(path));
        var application = await backend.AcceptedAsync();
        Assert.StartsWith($"GET {path} ", await application.ReadHeadAsync(), StringComparison.Ordinal);
        return new Running(client, application);
    }

    // One after another, so that their order is known.
    private static async Task<List<RawConnection>> QueueAsync(RunningProxy proxy, int count)
    {
        var clients = new List<RawConnection>();
        for (var i = 0; i < count; i++)
        {
            clients.Add(await proxy.ConnectAsync());
            await clients[i].SendAsync(Get($"/waiting/{i}"));
            await proxy.UntilAsync(state => state.Queued == i + 1);
        }

        return clients;
    }

    private sealed record Running(RawConnection Client, RawConnection Application) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Application.DisposeAsync();
        }
    }
}
