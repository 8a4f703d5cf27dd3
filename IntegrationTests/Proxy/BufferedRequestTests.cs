using System.Text;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Requests whose bodies come slowly.</summary>
public sealed class BufferedRequestTests
{
    private const int Large = 24_000_000;
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly string Body = string.Create(Large, 0, static (text, _) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = (char)('a' + ((i + (i / 1000)) % 23));
        }
    });

    [Theory]
    [InlineData("Content-Length: 6\r\n\r\nabc", "def", "abcdef")]
    [InlineData("Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n", "3\r\ndef\r\n0\r\nX-Sum: 42\r\n\r\n", "6\r\nabcdef\r\n0\r\nX-Sum: 42\r\n\r\n")]
    public async Task Application_sees_nothing_of_a_request_before_its_body_is_whole_and_then_all_of_it_framed_as_it_was(string begin, string rest, string body)
    {
        await using var it = await BufferingProxy.StartAsync(time: new FakeTimeProvider());
        await using var client = await it.ConnectAsync($"POST /a HTTP/1.1\r\nHost: a\r\n{begin}");
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });
        Assert.Equal((0, 0), (it.Application.Accepted, (await it.Proxy.StateAsync()).Targets[0].InFlight));

        await client.SendAsync(rest);

        await using var application = await it.Application.AcceptedSendingAsync();
        Assert.Equal(body, await application.ReadAsync(body.Length));
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        var traffic = (await it.Proxy.UntilAsync(state => state.Total.Requests == 1)).Targets[0].Traffic;
        Assert.Equal((6, 1), (traffic.BytesIn, traffic.ByStatus[200]));
        Assert.Equal(1, (await it.UntilAsync(use => use.MemoryBytes == 0)).Collected);
    }

    [Fact]
    public async Task Large_body_is_kept_in_a_file_and_sent_as_it_came()
    {
        await using var it = await BufferingProxy.StartAsync(new Buffering { Memory = 64 << 10 });
        await using var client = await it.ConnectAsync($"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {Large + 1}\r\n\r\n{Body}");
        await it.UntilAsync(use => use is { Collecting: 1, DiskBytes: > Large - (1 << 20) });

        await client.SendAsync("!");

        await using var application = await it.Application.AcceptedSendingAsync();
        Assert.Equal(Body + "!", await application.ReadAsync(Large + 1));
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Body_that_is_there_at_once_is_sent_as_it_is()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
        await using var application = await it.Application.AcceptedAsync();

        Assert.Contains("\r\nExpect: 100-continue\r\n", await application.ReadHeadAsync(), StringComparison.Ordinal);

        await application.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        Assert.Equal("abc", await application.ReadAsync(3));
        Assert.Equal(0, (await it.UseAsync()).Collected);
    }

    [Fact]
    public async Task Client_that_waits_to_be_told_to_go_on_is_told_by_the_Proxy_and_the_application_is_asked_no_more()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 100 ", await client.ReadHeadAsync(), StringComparison.Ordinal);

        Assert.Equal(0, it.Application.Accepted);
        await client.SendAsync("abc");
        await using var application = await it.Application.AcceptedAsync();
        Assert.DoesNotContain("Expect", await application.ReadHeadAsync(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("abc", await application.ReadAsync(3));
        await application.SendAsync(Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_leaves_before_its_body_is_whole_never_reaches_the_application()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
        await it.UntilAsync(use => use.Collecting == 1);

        client.Reset();

        var state = await it.Proxy.UntilAsync(state => state.Total.Requests == 1);
        Assert.Equal(1, state.Total.ByStatus[499]);
        Assert.Equal((0, 0), (it.Application.Accepted, state.Targets[0].Traffic.Requests));
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Client_that_sends_too_slowly_is_answered_and_never_reaches_the_application()
    {
        await using var it = await BufferingProxy.StartAsync(change: options => options with { MinBodyRate = 1 << 20 });
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");

        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadToEndAsync(), StringComparison.Ordinal);

        Assert.Equal(0, it.Application.Accepted);
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Request_whose_body_is_still_coming_holds_up_no_drain_and_goes_to_the_release_that_is_active_when_it_is_whole()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
        await it.UntilAsync(use => use.Collecting == 1);
        await using var two = new RawBackend();

        var state = await it.SwitchAsync(two.Address, "two");

        Assert.Equal(0, state.Targets[1].InFlight);
        await client.SendAsync("def");
        await using var application = await two.AcceptedSendingAsync();
        Assert.Equal("abcdef", await application.ReadAsync(6));
        await application.SendAsync(Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.Equal(0, it.Application.Accepted);
        Assert.Equal(1, (await it.Proxy.UntilAsync(s => s.Total.Requests == 1)).Targets[0].Traffic.Requests);
    }

    [Theory]
    [InlineData(ByteSize.Largest, 1 << 20, 2 << 20)]
    [InlineData(ByteSize.Largest, 0, 0)]
    [InlineData(1 << 20, 4 << 20, 64 << 20)]
    public async Task Body_that_is_more_than_may_be_kept_goes_on_as_it_comes_behind_what_was_collected(long limit, long memory, long disk)
    {
        await using var it = await BufferingProxy.StartAsync(
            new Buffering { Memory = 256 << 10, MaxRequest = limit }, options => options with { BufferMemory = memory, BufferDisk = disk }, new FakeTimeProvider());
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        await it.UntilAsync(use => use.Collecting == 1);
        var sending = client.SendAsync($"{Large:x}\r\n{Body}\r\n");

        await using var application = await it.Application.AcceptedSendingAsync();
        var received = await ReadChunksAsync(application, Large);

        Assert.Equal(Body, received);
        await sending;
        await client.SendAsync("3\r\nend\r\n");
        Assert.Equal("end", await ReadChunksAsync(application, 3));
        await client.SendAsync("0\r\nX-Sum: 1\r\n\r\n");
        Assert.Equal("0\r\nX-Sum: 1\r\n\r\n", await application.ReadHeadAsync());
        await application.SendAsync(Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.Equal((1, 0), ((await it.UseAsync()).Full, (await it.UseAsync()).Collected));
        await it.UntilEmptyAsync();
    }

    [Theory]
    [InlineData("Content-Length: 2000\r\n")]
    [InlineData("Content-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n")]
    public async Task Body_that_says_that_it_is_longer_or_a_stream_goes_through_as_it_comes(string headers)
    {
        await using var it = await BufferingProxy.StartAsync(new Buffering { MaxRequest = 1000 });
        await using var client = await it.ConnectAsync($"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{headers}\r\n");

        await using var application = await it.Application.AcceptedAsync();

        Assert.Contains("\r\nExpect: 100-continue\r\n", await application.ReadHeadAsync(), StringComparison.Ordinal);
        await application.SendAsync("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_that_gets_longer_than_it_may_be_is_refused_and_the_application_sees_nothing_of_it()
    {
        await using var it = await BufferingProxy.StartAsync(time: new FakeTimeProvider());
        await it.LimitAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await it.ConnectAsync($"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n{new string('x', 1000)}\r\n");
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });

        await client.SendAsync("1\r\ny\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        var state = await it.Proxy.UntilAsync(s => s.Total.Requests == 1);
        Assert.Equal((1, 0, 0), (state.Total.ByStatus[413], state.Targets[0].Traffic.Requests, it.Application.Accepted));
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Body_that_says_that_it_is_longer_than_it_may_be_is_not_asked_for()
    {
        await using var it = await BufferingProxy.StartAsync();
        await it.LimitAsync(new Limits { MaxRequestBody = 1000 });
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_sends_slowly_takes_no_place_on_the_application_before_its_body_is_whole()
    {
        await using var it = await BufferingProxy.StartAsync();
        await it.LimitAsync(new Limits { MaxRequestsInFlight = 1 });
        await using var slow = await it.ConnectAsync("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
        await it.UntilAsync(use => use.Collecting == 1);
        await using var quick = await it.ConnectAsync("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await it.Application.AcceptedSendingAsync();

        await slow.SendAsync("def");
        await it.Proxy.UntilAsync(state => state.Queued == 1);
        await application.SendAsync(Ok);

        Assert.EndsWith("ok", await quick.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.StartsWith("POST /slow ", await application.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("abcdef", await application.ReadAsync(6));
    }

    [Fact]
    public async Task Body_of_unknown_length_whose_client_pauses_goes_on_as_it_comes()
    {
        var time = new FakeTimeProvider();
        await using var it = await BufferingProxy.StartAsync(time: time);
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });

        time.Advance(TimeSpan.FromSeconds(1));

        await using var application = await it.Application.AcceptedSendingAsync();
        Assert.Equal("3\r\nabc\r\n", await application.ReadAsync(8));
        await client.SendAsync("3\r\ndef\r\n");
        Assert.Equal("3\r\ndef\r\n", await application.ReadAsync(8));
        await client.SendAsync("0\r\n\r\n");
        Assert.Equal("0\r\n\r\n", await application.ReadAsync(5));
        await application.SendAsync(Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Collected_body_waits_with_its_request_while_the_application_is_away()
    {
        await using var it = await BufferingProxy.StartAsync();
        var address = it.Application.Address;
        await it.Application.DisposeAsync();
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
        await it.UntilAsync(use => use.Collecting == 1);
        await client.SendAsync("def");
        await it.Proxy.UntilAsync(state => state.Waiting == 1);

        await using var back = new RawBackend(address) { ExpectsProbe = false };

        await using var application = await back.AcceptedSendingAsync();
        Assert.Equal("abcdef", await application.ReadAsync(6));
        await application.SendAsync(Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_collected_for_an_application_in_maintenance()
    {
        await using var it = await BufferingProxy.StartAsync();
        await it.Proxy.PutAsync(it.Proxy.SnapshotOf(RunningProxy.TargetAt(it.Application.Address, "one")) with { Buffering = new Buffering(), Maintenance = new MaintenancePage() });
        await using var client = await it.ConnectAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");

        Assert.StartsWith("HTTP/1.1 503 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_that_answers_before_it_has_the_whole_body_is_heard()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync($"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await using var application = await it.Application.AcceptedSendingAsync();

        await application.SendAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");

        Assert.EndsWith("no", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await application.WaitForEndAsync();
        await client.SendAsync("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var next = await it.Application.AcceptedSendingAsync();
        await next.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Body_of_a_stream_of_http_2_is_collected_too()
    {
        await using var it = await BufferingProxy.StartAsync(time: new FakeTimeProvider());
        await using var client = await Http2Connection.ConnectAsync(it.Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Request("POST", "/a"), isLast: false);
        await client.SendDataAsync(1, "abc", isLast: false);
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });
        Assert.Equal(0, it.Application.Accepted);

        await client.SendDataAsync(1, "def");

        await using var application = await it.Application.AcceptedSendingAsync();
        Assert.Equal("6\r\nabcdef\r\n0\r\n\r\n", await application.ReadAsync(16));
        await application.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Stream_of_http_2_that_is_reset_before_its_body_is_whole_never_reaches_the_application()
    {
        await using var it = await BufferingProxy.StartAsync(time: new FakeTimeProvider());
        await using var client = await Http2Connection.ConnectAsync(it.Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Request("POST", "/a"), isLast: false);
        await client.SendDataAsync(1, "abc", isLast: false);
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });

        await client.ResetAsync(1);

        await it.UntilEmptyAsync();
        Assert.Equal(1, (await it.Proxy.UntilAsync(state => state.Total.Requests == 1)).Total.ByStatus[499]);
        Assert.Equal(0, it.Application.Accepted);
    }

    private static async Task<string> ReadChunksAsync(RawConnection application, int bytes)
    {
        var body = new StringBuilder(bytes);
        while (body.Length < bytes)
        {
            var size = Convert.ToInt32((await application.ReadUntilAsync("\r\n"))[..^2], 16);
            body.Append((await application.ReadAsync(size + 2)).AsSpan(..size));
        }

        return body.ToString();
    }
}
