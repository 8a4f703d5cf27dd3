using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>How much of a request is passed on, and how long its answer may take.</summary>
public sealed class RequestLimitTests : TimedTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Get = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string WebSocket = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    private const string Switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(3);

    [Theory]
    [InlineData("")]
    [InlineData("Expect: 100-continue\r\n")]
    public async Task Body_that_says_that_it_is_too_long_is_refused_at_once_and_the_application_sees_nothing(string header)
    {
        await ServeAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await SendAsync($"POST /a HTTP/1.1\r\nHost: a\r\n{header}Content-Length: 1001\r\n\r\n");

        var answer = await client.ReadMessageAsync();

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, Backend.Accepted);
        var state = await Proxy.UntilAsync(s => s.Total.Requests > 0);
        Assert.Equal((1, 0), (state.Total.ByStatus[413], state.Targets[0].Traffic.Requests));
    }

    [Fact]
    public async Task Client_that_sends_all_of_a_body_that_is_too_long_gets_the_answer_all_the_same()
    {
        await ServeAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await SendAsync($"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n{new string('x', 300_000)}");

        Assert.StartsWith("HTTP/1.1 413 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_is_as_long_as_it_may_be_whatever_the_chunks_that_it_comes_in()
    {
        await ServeAsync(new Limits { MaxRequestBody = 1000 });
        Backend.AnswerAll(Ok);
        var chunks = string.Concat(Enumerable.Repeat("1\r\nx\r\n", 1000));

        Assert.EndsWith("ok", await Proxy.ExchangeAsync($"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{new string('x', 1000)}"), StringComparison.Ordinal);
        Assert.EndsWith("ok", await Proxy.ExchangeAsync($"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_in_chunks_is_refused_when_it_gets_too_long_and_the_application_does_not_take_it_for_whole()
    {
        await ServeAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await SendAsync($"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n{new string('x', 1000)}\r\n");
        await using var application = await Backend.AcceptedSendingAsync();
        await application.ReadAsync(1000);

        await client.SendAsync("1\r\ny\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.DoesNotMatch("y|0\r\n\r\n", await application.TryReadToEndAsync() ?? "");
    }

    [Fact]
    public async Task Streams_are_held_to_the_same_size()
    {
        await ServeAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, [.. Http2Connection.Request("POST", "/a"), ("content-length", "1001")], isLast: false);
        Assert.Equal(413, (await client.AnswerAsync(1)).Status);
        Assert.Equal(0, Backend.Accepted);

        await client.SendHeadersAsync(3, Http2Connection.Request("POST", "/a"), isLast: false);
        await using var application = await Backend.AcceptedSendingAsync();
        await client.SendDataAsync(3, new string('x', 1001), isLast: false);

        await client.ReadUntilAsync(frame => frame.Stream == 3 && frame.Payload.StartsWith("413 ", StringComparison.Ordinal));
        Assert.DoesNotContain("0\r\n\r\n", await application.TryReadToEndAsync() ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upload_that_runs_when_traffic_moves_is_held_to_the_size_of_the_release_that_it_began_on()
    {
        await ServeAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await SendAsync("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n");
        await using var application = await Backend.AcceptedSendingAsync();
        await application.ReadUntilAsync("xxx");
        await using var next = new RawBackend();

        await Proxy.SwitchAsync(next.Address, "c2", snapshot => snapshot.Limits = new Limits { MaxRequestBody = 3 });
        await client.SendAsync("3\r\nyyy\r\n0\r\n\r\n");
        await application.ReadUntilAsync("yyy\r\n0\r\n\r\n");
        await application.SendAsync(Ok);

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Get)]
    [InlineData(WebSocket)]
    [InlineData("POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody")]
    [InlineData("PUT /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")]
    public async Task Request_that_is_not_answered_in_time_is_answered_with_504_and_the_application_learns_of_it(string request)
    {
        await ServeAsync(new Limits());
        await using var client = await SendAsync(request);
        await using var application = await Backend.AcceptedSendingAsync();
        var answering = client.ReadMessageAsync();

        await AssertTakesAsync(new Limits().AnswerTimeout, answering);

        Assert.Contains("HTTP/1.1 504 ", await answering, StringComparison.Ordinal);
        await application.WaitForEndAsync();
        await Proxy.UntilAsync(state => state.Targets[0].InFlight == 0);
    }

    [Fact]
    public async Task Stream_that_is_not_answered_in_time_is_answered_with_504_and_leaves_the_others_alone()
    {
        await ServeAsync(new Limits());
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Get());
        await using var application = await Backend.AcceptedSendingAsync();
        var answering = client.AnswerAsync(1);

        await AssertTakesAsync(new Limits().AnswerTimeout, answering);

        Assert.Equal(504, (await answering).Status);
        await client.SendHeadersAsync(3, Http2Connection.Get());
        await using var next = await Backend.AcceptedSendingAsync();
        await next.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(3));
    }

    [Fact]
    public async Task Time_of_an_answer_begins_with_the_end_of_its_request()
    {
        var limits = new Limits { AnswerTimeout = TimeSpan.FromSeconds(5) };
        await ServeAsync(limits);
        await using var client = await SendAsync("POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbo");
        await using var application = await Backend.AcceptedSendingAsync();
        await application.ReadAsync(2);
        await PassAsync(3 * limits.AnswerTimeout);

        await client.SendAsync("dy");
        await application.ReadAsync(2);
        var answering = client.ReadToEndAsync();

        await AssertTakesAsync(limits.AnswerTimeout, answering);
        Assert.StartsWith("HTTP/1.1 504 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_has_begun_in_time_may_go_on_for_as_long_as_something_moves()
    {
        var limits = new Limits { AnswerTimeout = TimeSpan.FromSeconds(5), IdleTimeout = TimeSpan.FromSeconds(10) };
        await ServeAsync(limits);
        await using var client = await SendAsync(Get);
        await using var application = await Backend.AcceptedSendingAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        for (var i = 0; i < 4; i++)
        {
            await application.SendAsync("x");
            await client.ReadUntilAsync("x");
            await PassAsync(limits.IdleTimeout - Tolerance);
        }

        var end = client.TryReadToEndAsync();
        await AssertTakesAsync(Tolerance / 2, end);

        Assert.Null(await end);
        await application.WaitForEndAsync();
    }

    [Theory]
    [InlineData("Accept: text/event-stream")]
    [InlineData("Prefer: wait=600")]
    public async Task Request_that_says_that_it_waits_long_may_wait_for_as_long_as_nothing_may_move(string header)
    {
        var limits = new Limits { AnswerTimeout = TimeSpan.FromSeconds(5), IdleTimeout = TimeSpan.FromSeconds(30) };
        await ServeAsync(limits);
        await using var client = await SendAsync($"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{header}\r\n\r\n");
        await using var application = await Backend.AcceptedSendingAsync();
        var answering = client.ReadToEndAsync();

        await AssertTakesAsync(limits.IdleTimeout, answering);

        Assert.StartsWith("HTTP/1.1 504 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WebSocket_on_which_nothing_moves_for_too_long_is_broken_off()
    {
        var limits = new Limits { AnswerTimeout = TimeSpan.FromSeconds(5), IdleTimeout = TimeSpan.FromSeconds(20) };
        await ServeAsync(limits);
        await using var client = await SendAsync(WebSocket);
        await using var application = await Backend.AcceptedSendingAsync();
        await application.SendAsync(Switched);
        await client.ReadHeadAsync();
        var end = client.WaitForEndAsync();

        await AssertTakesAsync(limits.IdleTimeout - Tolerance, end);
    }

    [Fact]
    public async Task Connection_that_has_rested_is_not_taken_for_one_on_which_nothing_moves()
    {
        await ServeAsync(new Limits { IdleTimeout = TimeSpan.FromSeconds(2) });
        await using var client = await SendAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await Backend.AcceptedSendingAsync();
        await application.SendAsync(Ok);
        await client.ReadMessageAsync();
        await PassAsync(TimeSpan.FromSeconds(2.5));

        await client.SendAsync("GET /b HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
        await application.ReadHeadAsync();
        await PassAsync(TimeSpan.FromSeconds(0.5));
        await application.SendAsync(Ok);

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kept_connection_may_be_used_again_after_a_slow_answer()
    {
        var limits = new Limits { AnswerTimeout = TimeSpan.FromSeconds(5) };
        await ServeAsync(limits);
        await using var client = await Proxy.ConnectAsync();
        for (var i = 0; i < 4; i++)
        {
            await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
            await using var application = await Backend.AcceptedSendingAsync();
            await PassAsync(limits.AnswerTimeout - Tolerance);
            await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
        }
    }

    private async Task ServeAsync(Limits limits) => await Proxy.SwitchAsync(Backend.Address, "c1", snapshot => snapshot.Limits = limits);

    private async Task<RawConnection> SendAsync(string request)
    {
        var client = await Proxy.ConnectAsync();
        await client.SendAsync(request);
        return client;
    }

    // Not less of the Proxy's time, and not much more, however slow the machine is.
    private async Task AssertTakesAsync(TimeSpan time, Task task)
    {
        var began = Time.GetUtcNow();
        while (!task.IsCompleted && Time.GetUtcNow() - began < time + (2 * Tolerance))
            await PassAsync(TimeSpan.FromSeconds(0.5));
        await task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.True(Time.GetUtcNow() - began >= time);
    }

    // Some real time as well, in which the Proxy does what it is told.
    private async Task PassAsync(TimeSpan duration)
    {
        Time.Advance(duration);
        await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
    }
}
