using System.Net;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What the control socket tells about a drain, and what can be ordered there.</summary>
public sealed class DrainOrderTests : ReplacedRelease
{
    private static readonly TimeSpan PlainTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StreamTime = TimeSpan.FromSeconds(40);

    private readonly List<RawConnection> _open = [];

    public override async ValueTask DisposeAsync()
    {
        foreach (var connection in _open)
        {
            await connection.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    [Fact]
    public async Task What_still_drains_is_told_by_kind_age_path_and_deadline()
    {
        await SendAsync("/slow/report");
        Time.Advance(TimeSpan.FromSeconds(3));
        await OpenEventsAsync();
        await using var socket = await WebSocketPair.OpenAsync(Proxy, One, "/chat?room=1");
        await ReplaceAsync();
        Time.Advance(TimeSpan.FromSeconds(2));

        var target = (await Proxy.StatusAsync()).Applications[0].Targets[1];

        var (plain, stream) = (target.DrainingSince + PlainTime, target.DrainingSince + StreamTime);
        Assert.Equal((stream, plain, stream), (target.Deadline, target.Drain!.PlainDeadline, target.Drain.StreamDeadline));
        Assert.Equal(new Dictionary<RequestKind, long> { [RequestKind.Plain] = 1, [RequestKind.Stream] = 1, [RequestKind.WebSocket] = 1 }, target.Drain.ByKind);
        Assert.Equal(
            [(RequestKind.Plain, 5, "/slow/report", plain), (RequestKind.Stream, 2, "/events", stream), (RequestKind.WebSocket, 2, "/chat", stream)],
            target.Drain.Oldest.Select(r => (r.Kind, Math.Round(r.AgeSeconds), r.Path, r.Deadline)).OrderBy(r => r.Kind));
    }

    [Fact]
    public async Task Nothing_of_a_query_is_told_nor_more_of_a_path_than_its_beginning()
    {
        await SendAsync("/account?token=secret");
        await SendAsync($"http://a/{new string('x', 1000)}?token=secret");
        await SendAsync("http://a?token=secret");
        await ReplaceAsync();

        var (_, body) = await Proxy.CallAsync(HttpMethod.Get, "/status");

        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        var paths = (await Proxy.StateAsync()).Targets[1].Drain!.Oldest.Select(r => r.Path);
        Assert.Equal(["/", "/account", "/" + new string('x', 255)], paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_oldest_hundred_are_listed_and_all_are_counted()
    {
        await SendAsync("/first");
        Time.Advance(TimeSpan.FromSeconds(1));
        await Task.WhenAll(Enumerable.Range(0, 104).Select(_ => SendAsync("/later")));
        await ReplaceAsync();

        var drain = (await Proxy.StateAsync()).Targets[1].Drain!;

        Assert.Equal(105, Assert.Contains(RequestKind.Plain, drain.ByKind));
        Assert.Equal(TargetDrain.MaxListed, drain.Oldest.Count);
        Assert.Equal("/first", drain.Oldest[0].Path);
    }

    [Fact]
    public async Task Nothing_is_told_of_a_target_that_serves_or_has_drained()
    {
        var (client, application) = await OpenEventsAsync();
        Assert.Null((await Proxy.StateAsync()).Targets[0].Drain);
        await ReplaceAsync();

        await application.SendAsync("0\r\n\r\n");
        await client.ReadUntilAsync("0\r\n\r\n");

        var drained = (await Proxy.UntilAsync(s => s.Targets[1].Streams == 0)).Targets[1];
        Assert.Null(drained.Drain);
        Assert.Null(drained.Deadline);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fence_before_the_stop_of_a_container_that_must_be_idle_is_refused_while_it_is_in_use(bool isStream)
    {
        var (client, application) = isStream ? await OpenEventsAsync() : await SendAsync("/slow");
        var replaced = await ReplaceAsync();
        var fence = new FenceRequest { Installation = "i1", Fence = replaced.Fence + 1, NotTarget = "one", MustBeIdle = true };

        var (status, body) = await Proxy.FenceAsync(fence);

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains(ControlProblem.InUse, body, StringComparison.Ordinal);
        Assert.Equal(replaced.Fence, (await Proxy.StateAsync()).Fence);
        Assert.Equal(HttpStatusCode.OK, (await Proxy.FenceAsync(fence with { NotTarget = "three" })).Status);

        await application.SendAsync(isStream ? "0\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await client.ReadUntilAsync(isStream ? "0\r\n\r\n" : "\r\n\r\n");
        await Proxy.UntilAsync(s => s.Targets[1] is { InFlight: 0, Streams: 0 });
        Assert.Equal(HttpStatusCode.OK, (await Proxy.FenceAsync(fence with { Fence = fence.Fence + 1 })).Status);
    }

    [Fact]
    public async Task Order_to_end_cuts_plain_requests_and_streams_now()
    {
        var (plain, _) = await SendAsync("/slow");
        var (events, _) = await OpenEventsAsync();
        await ReplaceAsync();

        var answer = await Proxy.DrainAsync(new DrainRequest { Installation = "i1", ContainerId = "one", End = true });

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.StartsWith("HTTP/1.1 504 ", await plain.ReadMessageAsync(), StringComparison.Ordinal);
        await events.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1] is { InFlight: 0, Streams: 0 });
    }

    [Fact]
    public async Task Client_that_does_not_read_its_answer_is_cut_like_the_others()
    {
        var (client, application) = await SendAsync("/large");
        var sending = application.TrySendAsync("HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + new string('x', 30_000_000));
        await client.ReadHeadAsync();
        await ReplaceAsync();

        Time.Advance(PlainTime);

        await Proxy.UntilAsync(s => s.Targets[1].InFlight == 0);
        Assert.False(await sending);
    }

    [Fact]
    public async Task Order_to_extend_gives_what_still_runs_its_time_from_now()
    {
        var (plain, plainOnOne) = await SendAsync("/slow");
        var (events, eventsOnOne) = await OpenEventsAsync();
        await ReplaceAsync();
        Time.Advance(PlainTime / 2);
        var order = new DrainRequest { Installation = "i1", DrainTimeout = PlainTime, StreamDrainTimeout = 2 * StreamTime };

        var (status, _) = await Proxy.DrainAsync(order);

        Assert.Equal(HttpStatusCode.OK, status);
        var drain = (await Proxy.StateAsync()).Targets[1].Drain!;
        Assert.Equal((Time.GetUtcNow() + PlainTime, Time.GetUtcNow() + (2 * StreamTime)), (drain.PlainDeadline, drain.StreamDeadline));
        Time.Advance(PlainTime - TimeSpan.FromSeconds(1));
        await plainOnOne.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await plain.ReadMessageAsync(), StringComparison.Ordinal);
        Time.Advance(StreamTime);
        await eventsOnOne.SendAsync("3\r\n:a\n\r\n");
        await events.ReadUntilAsync(":a\n");
        Time.Advance(StreamTime);
        await events.WaitForEndAsync();
    }

    [Fact]
    public async Task Limit_that_an_order_does_not_say_stays_as_it_is()
    {
        await SendAsync("/slow");
        var before = (await ReplaceAsync()).Targets[1].Drain!;
        Time.Advance(TimeSpan.FromSeconds(1));

        await Proxy.DrainAsync(new DrainRequest { Installation = "i1", StreamDrainTimeout = PlainTime });

        var after = (await Proxy.StateAsync()).Targets[1].Drain!;
        Assert.Equal((before.PlainDeadline, Time.GetUtcNow() + PlainTime), (after.PlainDeadline, after.StreamDeadline));
    }

    [Fact]
    public async Task Container_that_serves_again_cannot_be_ended()
    {
        var (events, eventsOnOne) = await OpenEventsAsync();
        await ReplaceAsync();
        await ComeBackAsync();

        var (status, body) = await Proxy.DrainAsync(new DrainRequest { Installation = "i1", ContainerId = "one", End = true });

        Assert.Equal((HttpStatusCode.Conflict, ControlProblem.NotDraining), (status, RunningProxy.ProblemIn(body).Type));
        await eventsOnOne.SendAsync("3\r\n:a\n\r\n");
        await events.ReadUntilAsync(":a\n");
        var turn = (await Proxy.StateAsync()).Targets[2];
        Assert.Null(turn.Deadline);
        Assert.Null(Assert.Single(turn.Drain!.Oldest).Deadline);
    }

    [Fact]
    public async Task Order_that_finds_nothing_is_refused_by_name()
    {
        await SendAsync("/slow");
        Assert.Equal(ControlProblem.NotDraining, await RefusedAsync(new DrainRequest { Installation = "i1", End = true }));
        await ReplaceAsync();

        Assert.Equal(ControlProblem.NotDraining, await RefusedAsync(new DrainRequest { Installation = "i1", ContainerId = "two", End = true }));
        Assert.Equal(ControlProblem.ClaimedByOther, await RefusedAsync(new DrainRequest { Installation = "i2", End = true }));
        var (status, body) = await Proxy.CallAsync(HttpMethod.Post, "/applications/blog/drain", """{"Installation":"i1","End":true}""");
        Assert.Equal((HttpStatusCode.NotFound, ControlProblem.UnknownApplication), (status, RunningProxy.ProblemIn(body).Type));
        Assert.Equal(1, (await Proxy.StateAsync()).Targets[1].InFlight);
    }

    [Theory]
    [InlineData("""{"End":true}""", "Installation")]
    [InlineData("""{"Installation":"i1"}""", "End")]
    [InlineData("""{"Installation":"i1","End":true,"DrainTimeout":"1s"}""", "End")]
    [InlineData("""{"Installation":"i1","DrainTimeout":"25h"}""", "DrainTimeout is longer than 24h")]
    [InlineData("""{"Installation":"i1","StreamDrainTimeout":"25h"}""", "StreamDrainTimeout is longer than 24h")]
    [InlineData("""{"Installation":"i1","StreamDrainTimeout":"soon"}""", "StreamDrainTimeout")]
    [InlineData("""{"Installation":"i1","End":true,"ContainerId":" "}""", "ContainerId")]
    public async Task Order_that_is_not_what_the_call_takes_is_refused_by_name(string body, string named)
    {
        var (status, answer) = await Proxy.CallAsync(HttpMethod.Post, "/applications/shop/drain", body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(ControlProblem.InvalidBody, RunningProxy.ProblemIn(answer).Type);
        Assert.Contains(named, RunningProxy.ProblemIn(answer).Detail, StringComparison.Ordinal);
    }

    private Task<ApplicationState> ReplaceAsync() => ReplaceAsync(PlainTime, StreamTime);

    private async Task<string> RefusedAsync(DrainRequest request)
    {
        var (status, body) = await Proxy.DrainAsync(request);
        Assert.Equal(HttpStatusCode.Conflict, status);
        return RunningProxy.ProblemIn(body).Type;
    }

    // A request that has arrived, and isn't answered.
    private async Task<(RawConnection Client, RawConnection Application)> SendAsync(string target)
    {
        var client = await Proxy.ConnectAsync();
        await client.SendAsync($"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        var application = await One.AcceptedAsync();
        await application.ReadHeadAsync();
        lock (_open)
        {
            _open.AddRange([client, application]);
        }

        return (client, application);
    }

    private async Task<(RawConnection Client, RawConnection Application)> OpenEventsAsync()
    {
        var (client, application) = await SendAsync("/events?token=secret");
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        await client.ReadHeadAsync();
        return (client, application);
    }
}
