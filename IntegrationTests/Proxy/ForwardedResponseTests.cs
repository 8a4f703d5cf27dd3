using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Proxy;

public class ForwardedResponseTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    [Fact]
    public async Task Header_values_reach_the_client_byte_for_byte()
    {
        var value = "x" + string.Concat(Enumerable.Range(0x20, 0x100 - 0x20).Where(c => c != 0x7F).Select(c => (char)c)) + "x";

        var answer = await AnswerAsync($"HTTP/1.1 200 Fine\r\nX-Bytes: {value}\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: app\r\nContent-Length: 0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 Fine\r\n", answer, StringComparison.Ordinal);
        Assert.Contains($"\r\nX-Bytes: {value}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nSet-Cookie: a=1\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nSet-Cookie: b=2\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nServer: app\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_for_this_hop_end_here()
    {
        var answer = await AnswerAsync(
            "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret, Content-Length, Set-Cookie\r\nX-Secret: s\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n");

        Assert.DoesNotContain("X-Secret", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Keep-Alive:", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nSet-Cookie: a=1\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Length: 0\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc")]
    [InlineData("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData("nonsense\r\n\r\n")]
    [InlineData("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\rContent-Length: 3\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n")]
    public async Task Answer_that_can_be_read_in_two_ways_becomes_502_and_its_connection_is_dropped(string answer)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        await using var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync(answer);

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await application.WaitForEndAsync();
    }

    [Theory]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 204 ")]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nETag: \"e\"\r\n\r\n", "HTTP/1.1 304 ")]
    [InlineData("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 205 ")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")]
    public async Task Answer_without_a_body_stays_without_one(string answer, string expected)
    {
        Assert.StartsWith(expected, await AnswerAsync(answer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_to_HEAD_keeps_the_length()
    {
        var answer = await AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.Contains("\r\nContent-Length: 1234\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Announced_trailers_reach_the_client()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
        await using var application = await backend.AcceptedAsync();
        Assert.Contains("\r\nTE: trailers\r\n", await application.ReadHeadAsync(), StringComparison.Ordinal);
        await application.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n");

        var head = await client.ReadHeadAsync();
        var body = await client.ReadUntilAsync("\r\n\r\n");

        Assert.Contains("\r\nTransfer-Encoding: chunked\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nTrailer: X-Sum\r\n", head, StringComparison.Ordinal);
        Assert.Equal("3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n", body);
        await client.SendAsync(Get);
        await application.ReadHeadAsync();
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n")]
    public async Task Body_that_the_application_cut_short_never_looks_whole(string answer)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync(answer);
        await client.ReadUntilAsync("abc");
        application.Reset();

        try
        {
            Assert.DoesNotContain("0\r\n", await client.ReadToEndAsync(), StringComparison.Ordinal);
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }

    [Theory]
    [InlineData("x\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3\nabc\r\n0\r\n\r\n")]
    [InlineData("3\r\nabcd\r\n0\r\n\r\n")]
    [InlineData("-1\r\nabc\r\n0\r\n\r\n")]
    [InlineData("3;a\rb\r\nabc\r\n0\r\n\r\n")]
    [InlineData("11111111111111111\r\nabc\r\n0\r\n\r\n")]
    public async Task Chunks_that_are_not_framed_properly_never_look_whole_and_end_the_connection(string body)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await using var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body);

        var seen = await client.TryReadToEndAsync() ?? "";
        Assert.True(seen.StartsWith("HTTP/1.1 502 ", StringComparison.Ordinal) || !seen.Contains("0\r\n\r\n", StringComparison.Ordinal), seen);
        await application.WaitForEndAsync();
    }

    [Fact]
    public async Task Body_that_ends_with_the_connection_passes_whole()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(Get);
        var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.0 200 OK\r\n\r\nabc");
        await application.DisposeAsync();

        Assert.EndsWith("3\r\nabc\r\n0\r\n\r\n", await client.ReadUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok+")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")]
    [InlineData("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n")]
    public async Task Connection_on_which_more_may_come_is_not_used_again(string answer)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync(answer);

        await application.WaitForEndAsync();
        Assert.StartsWith("HTTP/1.1 20", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Idle_connection_is_closed_before_an_impatient_application_would()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await using var kept = await KeepAsync(client, backend);
        var began = TimeProvider.System.GetTimestamp();

        await kept.WaitForEndAsync();

        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 2.5, 4.9);
    }

    [Fact]
    public async Task Application_that_is_away_is_answered_for_at_once_in_the_form_that_the_client_asks_for()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using (var backend = new RawBackend())
        {
            await proxy.SwitchAsync(backend.Address);
        }

        foreach (var (accept, type) in new[] { ("text/html,*/*;q=0.8", "text/html; charset=utf-8"), ("application/json", "application/problem+json"), ("image/png", "text/plain; charset=utf-8") })
        {
            var answer = await proxy.ExchangeAsync($"GET / HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
            Assert.Contains($"\r\nContent-Type: {type}\r\n", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);
            Assert.DoesNotContain("127.0.0.1", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Application_that_does_not_even_refuse_is_given_one_second()
    {
        await using var proxy = await RunningProxy.StartAsync();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        listener.Listen(1);
        var address = (System.Net.IPEndPoint)listener.LocalEndPoint!;
        var switching = proxy.SwitchAsync(address);
        await using (var probe = new RawConnection(await listener.AcceptAsync()))
        {
            await probe.ReadHeadAsync();
            await probe.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            await switching;
        }

        // Nobody accepts any more, so the kernel soon leaves new connections without an answer.
        var filling = Enumerable.Range(0, 4).Select(_ => RawConnection.ConnectAsync(address)).ToList();
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();

        var answer = await proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0.9, 1.9);
        Assert.NotEmpty(filling);
    }

    [Fact]
    public async Task Safe_request_whose_connection_broke_off_before_the_answer_is_repeated_once_on_the_current_target()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        two.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n22");
        await proxy.SwitchAsync(one.Address, "one");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await one.AcceptedAsync();
        await application.ReadHeadAsync();
        await proxy.SwitchAsync(two.Address, "two");

        application.Reset();

        Assert.EndsWith("22", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_may_have_changed_something_is_never_repeated()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        two.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n22");
        await proxy.SwitchAsync(one.Address, "one");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
        await using var application = await one.AcceptedAsync();
        await application.ReadMessageAsync();
        await proxy.SwitchAsync(two.Address, "two");

        application.Reset();

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("Custom / HTTP/1.1\r\nHost: a\r\n\r\n")]
    public async Task Request_without_a_body_is_not_sent_again_when_a_kept_connection_closes_without_an_answer(string request)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await using var kept = await KeepAsync(client, backend);

        await client.SendAsync(request);
        await kept.ReadHeadAsync();
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await kept.DisposeAsync();

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Safe_request_is_sent_again_only_once_when_connections_close_without_an_answer()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await using var kept = await KeepAsync(client, backend);

        await client.SendAsync(Get);
        await kept.ReadHeadAsync();
        await kept.DisposeAsync();
        var again = await backend.AcceptedSendingAsync();
        await again.DisposeAsync();

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    // The Proxy has a connection to the application that has served one request.
    private static async Task<RawConnection> KeepAsync(RawConnection client, RawBackend backend)
    {
        await client.SendAsync(Get);
        var kept = await backend.AcceptedAsync();
        await kept.ReadHeadAsync();
        await kept.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await client.ReadMessageAsync();
        return kept;
    }

    private static async Task<string> AnswerAsync(string answer, string request = Get)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        await using var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync(answer);
        return await client.ReadHeadAsync();
    }
}
