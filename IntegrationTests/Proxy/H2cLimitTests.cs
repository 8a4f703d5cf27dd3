using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What the launch configuration says about requests and answers holds for applications of HTTP/2, too; the test gives their answers frame by frame.</summary>
public sealed class H2cLimitTests : TimedTests
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: text/html\r\n\r\n";

    private static readonly (string, string)[] Ok = [(":status", "200")];
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Request_that_is_not_answered_in_time_is_answered_with_504_and_its_stream_ends()
    {
        await ServeAsync(snapshot => snapshot.Limits = new Limits { AnswerTimeout = TimeSpan.FromSeconds(5) });
        var answering = Proxy.ExchangeAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);

        Time.Advance(TimeSpan.FromSeconds(5) - (Second / 2));
        Assert.False(answering.IsCompleted);
        Time.Advance(Second);

        Assert.StartsWith("HTTP/1.1 504 ", await answering, StringComparison.Ordinal);
        await application.ReadAsync(Http2FrameType.Reset, 1);
        await Proxy.UntilAsync(state => state.Targets[0].InFlight == 0);
    }

    [Fact]
    public async Task Answer_on_which_nothing_moves_any_more_is_broken_off()
    {
        await ServeAsync(snapshot => snapshot.Limits = new Limits { AnswerTimeout = Second, IdleTimeout = TimeSpan.FromSeconds(10) });
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);
        await application.SendHeadersAsync(1, Ok, isLast: false);
        for (var i = 0; i < 3; i++)
        {
            await application.SendDataAsync(1, "piece", isLast: false);
            await client.ReadUntilAsync("piece");
            Time.Advance(TimeSpan.FromSeconds(9));
        }

        var end = client.TryReadToEndAsync();
        await Eventually.HoldsAsync("it is broken off", () =>
        {
            Time.Advance(Second);
            return end.IsCompleted;
        });

        Assert.Null(await end);
        await application.ReadAsync(Http2FrameType.Reset, 1);
    }

    [Fact]
    public async Task Answer_that_says_that_it_is_too_long_is_replaced_by_502_and_one_that_gets_too_long_is_broken_off()
    {
        await ServeAsync(snapshot => snapshot.Limits = new Limits { MaxAnswerBody = 1000 });
        var refused = Proxy.ExchangeAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);
        await application.SendHeadersAsync(1, [.. Ok, ("content-length", "1001")], isLast: false);
        Assert.StartsWith("HTTP/1.1 502 ", await refused, StringComparison.Ordinal);

        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync(Get);
        await application.ReadAsync(Http2FrameType.Headers, 3);
        await application.SendHeadersAsync(3, Ok, isLast: false);
        await application.SendDataAsync(3, new string('x', 1001), isLast: false);

        Assert.DoesNotContain("\r\n0\r\n", await client.TryReadToEndAsync() ?? "cut", StringComparison.Ordinal);
        await application.ReadAsync(Http2FrameType.Reset, 3);
    }

    [Fact]
    public async Task Body_that_gets_too_long_is_refused_and_its_stream_does_not_end_as_if_it_were_whole()
    {
        await ServeAsync(snapshot => snapshot.Limits = new Limits { MaxRequestBody = 1000 });
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync($"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n{new string('x', 1000)}\r\n");
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Data, 1);

        await client.SendAsync("1\r\ny\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await application.ReadAsync(Http2FrameType.Reset, 1);
        Assert.DoesNotContain(application.Seen, frame => frame is { Stream: 1, Type: Http2FrameType.Data, EndsStream: true });
    }

    [Fact]
    public async Task Body_of_a_slow_client_is_collected_before_the_application_sees_anything_of_the_request()
    {
        await ServeAsync(snapshot => snapshot.Buffering = new Buffering());
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync("POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 6\r\n\r\nabc");
        await Eventually.HoldsAsync("the body is collected", async _ => (await Proxy.StatusAsync()).Buffers is { Collecting: 1, MemoryBytes: > 0 });
        Assert.Equal(0, Backend.Accepted);

        await client.SendAsync("def");

        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);
        Assert.Equal("abcdef", (await application.ReadAsync(Http2FrameType.Data, 1)).Payload);
        await application.SendHeadersAsync(1, Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_is_shown_in_the_place_of_an_answer_that_is_to_be_replaced()
    {
        await ServeAsync(snapshot => snapshot.ErrorPages = new ErrorPages { Pages = new Dictionary<string, string> { ["5xx"] = "<h1>ours {status}</h1>" }, ReplaceAnswers = true });
        var answering = Proxy.ExchangeAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);

        await application.SendHeadersAsync(1, [(":status", "500")], isLast: false);
        await application.SendDataAsync(1, "theirs");

        var answer = await answering;
        Assert.StartsWith("HTTP/1.1 500 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("<h1>ours 500</h1>", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_does_not_see_a_prefix_that_is_stripped()
    {
        await ServeAsync(snapshot => snapshot.Routing = new Routing { PathPrefix = "/shop", StripPathPrefix = true });
        var answering = Proxy.ExchangeAsync(Get.Replace("/a", "/shop/a?b", StringComparison.Ordinal));
        await using var application = await AcceptAsync();

        var head = (await application.ReadAsync(Http2FrameType.Headers, 1)).Payload;

        Assert.Contains("/a?b", head, StringComparison.Ordinal);
        Assert.DoesNotContain("/shop/a", head, StringComparison.Ordinal);
        await application.SendHeadersAsync(1, Ok);
        await answering;
    }

    private Task<ApplicationState> ServeAsync(Action<ApplicationSnapshot> change) => Proxy.SwitchAsync(Backend.Address, change: snapshot =>
    {
        snapshot.Target = snapshot.Target! with { Protocol = ApplicationProtocol.H2c };
        change(snapshot);
    });

    private async Task<Http2Connection> AcceptAsync() => await Http2Connection.AcceptAsync(await Backend.AcceptedAsync());
}
