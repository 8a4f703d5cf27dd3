using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

public class DrainTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);

    [Fact]
    public async Task Plain_requests_and_streams_of_a_replaced_release_are_cut_when_their_time_is_over()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var plain = await proxy.ConnectAsync();
        await plain.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var plainOnOne = await one.AcceptedAsync();
        await plainOnOne.ReadHeadAsync();
        await using var stream = await proxy.ConnectAsync();
        await using var streamOnOne = await OpenStreamAsync(stream, one);

        await proxy.SwitchAsync(two.Address, "two", s => (s.DrainTimeout, s.StreamDrainTimeout) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(1200)));

        Assert.StartsWith("HTTP/1.1 504 ", await plain.ReadMessageAsync(), StringComparison.Ordinal);
        await plainOnOne.WaitForEndAsync();
        var target = (await proxy.UntilAsync(s => s.Targets[1].InFlight == 0)).Targets[1];
        Assert.Equal(1, target.Streams);
        await streamOnOne.SendAsync("3\r\n:a\n\r\n");
        await stream.ReadUntilAsync(":a\n");
        await stream.WaitForEndAsync();
        await streamOnOne.WaitForEndAsync();
        await proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Theory]
    [InlineData("one")]
    [InlineData("one made anew")]
    public async Task Stream_that_reached_a_container_before_its_new_start_was_known_lives_until_the_container_is_replaced(string container)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var stream = await proxy.ConnectAsync();
        await using var streamOnOne = await OpenStreamAsync(stream, one);

        one.ExpectsProbe = true;
        await proxy.SwitchAsync(one.Address, container, s =>
        {
            s.Target = s.Target! with { StartedAt = DateTimeOffset.UnixEpoch.AddMinutes(1) };
            s.StreamDrainTimeout = Short;
        });

        await AssertGoesOnAsync(stream, streamOnOne);
        await proxy.SwitchAsync(two.Address, "two", s => s.StreamDrainTimeout = Short);
        await stream.WaitForEndAsync();
        await streamOnOne.WaitForEndAsync();
    }

    [Fact]
    public async Task Stream_on_a_release_that_drains_is_not_cut_once_traffic_has_come_back_to_it()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var stream = await proxy.ConnectAsync();
        await using var streamOnOne = await OpenStreamAsync(stream, one);

        await proxy.SwitchAsync(two.Address, "two", s => s.StreamDrainTimeout = Short);
        one.ExpectsProbe = true;
        await proxy.SwitchAsync(one.Address, "one");

        await AssertGoesOnAsync(stream, streamOnOne);
    }

    [Fact]
    public async Task Idle_connections_to_a_replaced_release_are_closed()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await one.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await client.ReadMessageAsync();

        await proxy.SwitchAsync(two.Address, "two");

        await application.WaitForEndAsync().WaitAsync(TimeSpan.FromSeconds(2), TimeProvider.System);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "x")]
    public async Task Connections_that_wait_are_closed_when_the_drain_begins_and_those_of_requests_when_they_have_ended(string request, string body)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        await using var application = await one.AcceptedAsync();
        await using var slowClient = await proxy.ConnectAsync();
        await slowClient.SendAsync(request);
        await using var slowApplication = await one.AcceptedAsync();
        await EndAsync(client, application, body);

        await proxy.SwitchAsync(two.Address, "two");

        await application.WaitForEndAsync().WaitAsync(TimeSpan.FromSeconds(1), TimeProvider.System);
        Assert.Equal(1, (await proxy.StateAsync()).Targets[1].InFlight);
        await EndAsync(slowClient, slowApplication, body);
        await slowApplication.WaitForEndAsync().WaitAsync(TimeSpan.FromSeconds(1), TimeProvider.System);
    }

    [Theory]
    [InlineData("", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", RequestKind.Stream)]
    [InlineData("", "HTTP/1.1 200 OK\r\n\r\n", RequestKind.Stream)]
    [InlineData("Prefer: wait=60\r\n", "", RequestKind.Stream)]
    [InlineData("Accept: text/event-stream\r\n", "", RequestKind.Stream)]
    [InlineData("Expect: 100-continue\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", RequestKind.Stream)]
    [InlineData("", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", RequestKind.Plain)]
    [InlineData("", "", RequestKind.Plain)]
    public async Task Answer_that_may_stay_open_becomes_a_stream_when_the_time_of_plain_requests_is_over(string header, string answer, RequestKind kind)
    {
        var time = new FakeTimeProvider();
        await using var proxy = await RunningProxy.StartAsync(time: time);
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: a\r\n{header}\r\n");
        await using var application = await one.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync(answer);
        _ = answer.Length == 0 ? "" : await client.ReadHeadAsync();
        await proxy.SwitchAsync(two.Address, "two", s => (s.DrainTimeout, s.StreamDrainTimeout) = (TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)));
        Assert.Equal(1, (await proxy.StateAsync()).Targets[1].InFlight);

        time.Advance(TimeSpan.FromSeconds(10));

        await proxy.UntilAsync(s => (s.Targets[1].InFlight, s.Targets[1].Streams) == (0, kind == RequestKind.Stream ? 1 : 0));
        time.Advance(TimeSpan.FromSeconds(50));
        if (answer.Length == 0)
        {
            Assert.StartsWith("HTTP/1.1 504 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
        }
        else
        {
            await client.WaitForEndAsync();
        }

        await application.WaitForEndAsync();
        await proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Switching_back_and_forth_under_load_fails_no_request()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        one.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
        two.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
        (one.ExpectsProbe, two.ExpectsProbe) = (false, false);
        await proxy.SwitchAsync(one.Address, "one");
        var over = false;
        var clients = Enumerable.Range(0, 8).Select(async _ =>
        {
            var answered = 0;
            await using var client = await proxy.ConnectAsync();
            while (!Volatile.Read(ref over))
            {
                await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
                answered++;
            }

            return answered;
        }).ToList();

        for (var i = 0; i < 40; i++)
        {
            var (backend, name) = i % 2 == 0 ? (two, "two") : (one, "one");
            await proxy.SwitchAsync(backend.Address, name);
        }

        Volatile.Write(ref over, true);
        var total = (await Task.WhenAll(clients)).Sum();
        var state = await proxy.UntilAsync(s => s.Targets.All(t => t.InFlight == 0));
        Assert.Equal(total, state.Total.Requests);
        Assert.Equal(total, Assert.Contains(200, state.Total.ByStatus));
        Assert.Equal(16, state.Targets.Count);
    }

    private static async Task EndAsync(RawConnection client, RawConnection application, string body)
    {
        await application.ReadHeadAsync();
        if (body.Length > 0)
        {
            await application.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
            await client.ReadHeadAsync();
            await client.SendAsync(body);
            await application.ReadAsync(body.Length);
        }

        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    private static async Task<RawConnection> OpenStreamAsync(RawConnection client, RawBackend backend)
    {
        await client.SendAsync("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        await client.ReadHeadAsync();
        return application;
    }

    // Twice as long as the limit that must not apply.
    private static async Task AssertGoesOnAsync(RawConnection client, RawConnection application)
    {
        await Eventually.PassAsync(2 * Short);
        await application.SendAsync("3\r\n:a\n\r\n");
        await client.ReadUntilAsync(":a\n");
    }
}
