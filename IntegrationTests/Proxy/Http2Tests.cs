using System.Collections.Concurrent;
using System.Net;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>HTTP/2 by prior knowledge (RFC 9113, section 3.3), on the port of HTTP/1.1.</summary>
public sealed class Http2Tests : ServedTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Both_protocols_are_served_on_one_port_and_the_application_sees_the_same_request()
    {
        using var client = new Http2Client(Proxy.Address);
        await using var old = await Proxy.ConnectAsync();
        var answering = client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/a?b") { Headers = { Host = "shop.example", UserAgent = { new("test", "1") } } });
        await using var application = await Backend.AcceptedAsync();
        var request = await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        using var answer = await answering;

        await old.SendAsync("GET /a?b HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: test/1\r\n\r\n");
        await using var second = await Backend.AcceptedAsync();

        Assert.Equal(Lines(await second.ReadHeadAsync()), Lines(request));
        Assert.Equal(HttpVersion.Version20, answer.Version);
        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Streams_of_one_connection_run_at_once_and_are_counted_as_one_active_connection()
    {
        const int streams = 100;
        using var client = new Http2Client(Proxy.Address);
        var answers = Enumerable.Range(0, streams).Select(i => client.GetAsync($"/{i}")).ToList();
        var applications = new List<(RawConnection Connection, string Path)>();
        while (applications.Count < streams)
        {
            var application = await Backend.AcceptedAsync();
            applications.Add((application, (await application.ReadHeadAsync()).Split(' ')[1]));
        }

        var status = await Proxy.StatusAsync();
        Assert.Equal((1, 0), (status.Connections["active"], status.Connections["idle"]));
        Assert.Equal(streams, status.Applications[0].Targets[0].InFlight);
        foreach (var (connection, path) in applications.AsEnumerable().Reverse())
        {
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {path.Length}\r\n\r\n{path}");
        }

        Assert.Equal(Enumerable.Range(0, streams).Select(i => $"/{i}"), await Task.WhenAll(answers));
        Assert.Equal(1, client.Connections);
        var state = await Proxy.UntilAsync(s => s.Targets[0].InFlight == 0);
        Assert.Equal((streams, 290), (state.Total.Requests, state.Total.BytesOut));
        await Eventually.HoldsAsync("the connection is idle", async _ => (await Proxy.StatusAsync()).Connections is var counts && (counts["active"], counts["idle"]) == (0, 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbeg")]
    public async Task Reset_stream_reaches_the_application_within_a_second_and_leaves_the_others_alone(string beginning)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var given = await BeginAsync(client, 1, "/given-up");
        await using var other = await BeginAsync(client, 3, "/other");
        if (beginning.Length > 0)
        {
            await given.SendAsync(beginning);
            await client.ReadAsync(Http2FrameType.Data, stream: 1);
        }

        await client.ResetAsync(1);

        await given.WaitForEndAsync().WaitAsync(Second, TimeProvider.System);
        await other.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(3));
        var state = await Proxy.UntilAsync(s => s.Targets[0].InFlight == 0);
        Assert.Equal(beginning.Length > 0 ? 0 : 1, state.Total.ByStatus.GetValueOrDefault(499));
        Assert.DoesNotContain(client.Seen, frame => frame.Type == Http2FrameType.GoAway);
    }

    [Fact]
    public async Task Reset_stream_whose_body_was_still_coming_breaks_off_its_request_only()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Request("POST", "/"), isLast: false);
        await client.SendDataAsync(1, "abc", isLast: false);
        await using var given = await Backend.AcceptedAsync();
        await given.ReadUntilAsync("abc");

        await client.ResetAsync(1);

        Assert.DoesNotContain("0\r\n", await given.TryReadToEndAsync().WaitAsync(Second, TimeProvider.System) ?? "", StringComparison.Ordinal);
        await using var next = await BeginAsync(client, 3, "/");
        await next.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(3));
    }

    [Fact]
    public async Task Client_that_leaves_ends_all_its_requests_at_the_application_and_they_count_as_499()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var one = await BeginAsync(client, 1, "/1");
        await using var two = await BeginAsync(client, 3, "/2");

        await client.DisposeAsync();

        await Task.WhenAll(one.WaitForEndAsync(), two.WaitForEndAsync()).WaitAsync(Second, TimeProvider.System);
        var state = await Proxy.UntilAsync(s => s.Targets[0].InFlight == 0);
        Assert.Equal(2, Assert.Contains(499, state.Total.ByStatus));
        await Eventually.HoldsAsync("no connection is counted", async _ => (await Proxy.StatusAsync()).Connections.Values.All(count => count == 0));
    }

    [Fact]
    public async Task Stream_ends_on_the_release_that_it_began_on_and_the_next_one_of_its_connection_on_the_new_one()
    {
        await using var second = new RawBackend();
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var early = await BeginAsync(client, 1, "/early");

        await Proxy.SwitchAsync(second.Address, "two");

        second.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
        await client.SendHeadersAsync(3, Http2Connection.Get("/late"));
        Assert.Equal((200, "new"), await client.AnswerAsync(3));
        await early.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
        await Proxy.UntilAsync(s => s.Targets[1].InFlight == 0);
        Assert.DoesNotContain(client.Seen, frame => frame.Type == Http2FrameType.GoAway);
    }

    [Fact]
    public async Task Switches_under_load_fail_no_stream_and_end_no_connection()
    {
        await using var second = new RawBackend();
        Backend.AnswerAll(Ok);
        second.AnswerAll(Ok);
        using var client = new Http2Client(Proxy.Address);
        var isOver = false;
        var statuses = new ConcurrentDictionary<string, int>();
        var load = Enumerable.Range(0, 30).Select(async _ =>
        {
            while (!Volatile.Read(ref isOver))
            {
                statuses.AddOrUpdate(await client.GetAsync("/"), 1, (_, count) => count + 1);
            }
        }).ToList();

        for (var i = 0; i < 20; i++)
        {
            var next = i % 2 == 0 ? second : Backend;
            next.ExpectsProbe = true;
            await Proxy.SwitchAsync(next.Address, $"c{i + 2}");
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(load);
        Assert.Equal("ok", Assert.Single(statuses).Key);
        Assert.Equal(1, client.Connections);
    }

    [Fact]
    public async Task Stop_says_goaway_and_lets_streams_finish()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var application = await BeginAsync(client, 1, "/");

        var stopping = Proxy.Host.StopAsync(CancellationToken.None);

        Assert.Equal(0, (await client.ReadAsync(Http2FrameType.GoAway)).Error);
        Assert.False(stopping.IsCompleted);
        await application.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        await client.WaitForEndAsync();
    }

    [Theory]
    [InlineData("Trailer: X-Sum\r\n")]
    [InlineData("")]
    public async Task Trailers_come_back_announced_or_not(string announcement)
    {
        Backend.AnswerAll($"HTTP/1.1 200 OK\r\n{announcement}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: \xA7 1\r\nConnection: x\r\nContent-Length: 7\r\n\r\n");
        using var client = new Http2Client(Proxy.Address);

        using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/"));

        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        Assert.Equal("\xA7 1", Assert.Single(Assert.Single(answer.TrailingHeaders, field => field.Key == "x-sum" || field.Key == "X-Sum").Value));
        Assert.Single(answer.TrailingHeaders);
    }

    [Fact]
    public async Task Trailers_of_a_request_and_cookies_in_pieces_reach_the_application()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, [.. Http2Connection.Request("POST", "/"), ("cookie", "a=1"), ("te", "trailers"), ("cookie", "b=2")], isLast: false);
        await client.SendDataAsync(1, "abc", isLast: false);
        await client.SendHeadersAsync(1, [("x-sum", "42"), ("x-forwarded-for", "6.6.6.6")]);
        await using var application = await Backend.AcceptedAsync();

        var head = await application.ReadHeadAsync();

        Assert.Contains("\r\nCookie: a=1; b=2\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nTE: trailers\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nTransfer-Encoding: chunked\r\n", head, StringComparison.Ordinal);
        Assert.Equal("3\r\nabc\r\n0\r\nx-sum: 42\r\n\r\n", await application.ReadUntilAsync("\r\n\r\n"));
        await application.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Headers_that_are_meant_for_the_next_hop_stay_here()
    {
        Backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nX-End: 1\r\n\r\nok");
        using var client = new Http2Client(Proxy.Address);

        using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/"));

        Assert.Equal(["Date", "x-end"], answer.Headers.NonValidated.Select(field => field.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Answer_before_the_end_of_the_body_reaches_the_client_and_its_body_is_waived()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Request("POST", "/"), isLast: false);
        await client.SendDataAsync(1, "abc", isLast: false);
        await using var application = await Backend.AcceptedAsync();
        await application.ReadUntilAsync("abc");

        await application.SendAsync("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
        await application.DisposeAsync();

        Assert.Equal((400, "no"), await client.AnswerAsync(1));
        Assert.Equal(0, (await client.ReadAsync(Http2FrameType.Reset, stream: 1)).Error);
    }

    [Fact]
    public async Task Answer_that_is_cut_short_is_reset_and_does_not_look_whole()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var cut = await BeginAsync(client, 1, "/cut");
        await using var other = await BeginAsync(client, 3, "/other");

        await cut.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbeg");
        await client.ReadAsync(Http2FrameType.Data, stream: 1);
        await cut.DisposeAsync();

        Assert.Equal((200, "beg~"), await client.AnswerAsync(1));
        await other.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(3));
    }

    [Fact]
    public async Task Body_that_waits_for_100_comes_once_the_application_asks_for_it()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, [.. Http2Connection.Request("POST", "/"), ("expect", "100-continue"), ("content-length", "3")], isLast: false);
        await using var application = await Backend.AcceptedAsync();
        Assert.Contains("\r\nExpect: 100-continue\r\n", await application.ReadHeadAsync(), StringComparison.Ordinal);

        await application.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");

        Assert.Equal(100, (await client.ReadAsync(Http2FrameType.Headers, stream: 1)).Status);
        await client.SendDataAsync(1, "abc");
        Assert.Equal("abc", await application.ReadAsync(3));
        await application.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n");
        Assert.Equal("ok", (await client.AnswerAsync(1)).Body);
    }

    [Theory]
    [InlineData("", 405)]
    [InlineData("connect-udp", 501)]
    public async Task Connect_for_anything_but_a_websocket_is_refused(string protocol, int status)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);

        // Source: RFC 9113, section 8.5; RFC 8441, section 4.
        await client.SendHeadersAsync(1, protocol.Length > 0 ? [.. Http2Connection.Request("CONNECT", "/ws"), (":protocol", protocol)] : [(":method", "CONNECT"), (":authority", "a:80")], isLast: false);

        Assert.Equal(status, (await client.AnswerAsync(1)).Status);
        await using var application = await BeginAsync(client, 3, "/");
        await application.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(3));
    }

    [Theory]
    [InlineData("trace", "/")]
    [InlineData("GET", "/#fragment")]
    [InlineData("GET", "/sp ace")]
    public async Task Refused_request_leaves_the_other_streams_alone(string method, string path)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var other = await BeginAsync(client, 1, "/other");

        await client.SendHeadersAsync(3, Http2Connection.Request(method, path));

        Assert.Equal(400, (await client.AnswerAsync(3)).Status);
        await other.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Streams_wait_while_the_application_is_away_and_go_on_when_it_is_back()
    {
        var address = Backend.Address;
        Backend.ExpectsProbe = true;
        var (status, _) = await Proxy.PutAsync(Proxy.SnapshotOf(RunningProxy.TargetAt(address, "c2")) with { HoldTimeout = TimeSpan.FromMinutes(1) });
        Assert.Equal(HttpStatusCode.OK, status);
        await Backend.DisposeAsync();
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Get());
        await client.SendHeadersAsync(3, Http2Connection.Get("/given-up"));
        await Proxy.UntilAsync(state => state.Waiting == 2);
        await client.ResetAsync(3);
        await Proxy.UntilAsync(state => state.Waiting == 1);

        await using var back = new RawBackend(address) { ExpectsProbe = false };
        back.AnswerAll(Ok);

        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
        Assert.Equal(1, Assert.Contains(499, (await Proxy.StateAsync()).Total.ByStatus));
    }

    [Fact]
    public async Task Client_that_takes_nothing_holds_up_its_own_answer_only()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await using var large = await BeginAsync(client, 1, "/large");
        await using var small = await BeginAsync(client, 3, "/small");
        var sending = large.TrySendAsync("HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n" + new string('x', 40_000_000));

        // The window of the connection is as large as that of one stream; the small answer needs some of it.
        await client.ReadAsync(Http2FrameType.Data, stream: 1);
        await client.SendAsync("\0\0\x4\x8\0\0\0\0\0\0\0\x10\0");
        await small.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(3));

        Assert.False(sending.IsCompleted);
        await client.ResetAsync(1);
        Assert.False(await sending.WaitAsync(Second, TimeProvider.System));
    }

    [Fact]
    public async Task Flood_of_resets_leaves_nothing_behind()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);

        // Source: CVE-2023-44487.
        await client.TryFloodAsync(streams: 5000);

        await client.DisposeAsync();
        await Proxy.UntilAsync(s => s.Targets[0].InFlight == 0);
        await Eventually.HoldsAsync("no connection is counted", async _ => (await Proxy.StatusAsync()).Connections.Values.All(count => count == 0));
    }

    private async Task<RawConnection> BeginAsync(Http2Connection client, int stream, string path)
    {
        await client.SendHeadersAsync(stream, Http2Connection.Get(path));
        var application = await Backend.AcceptedAsync();
        Assert.StartsWith($"GET {path} ", await application.ReadHeadAsync(), StringComparison.Ordinal);
        return application;
    }

    private static IEnumerable<string> Lines(string head) => head.Split("\r\n").Where(line => !line.StartsWith("X-Request-", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
