using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Answers to clients that read slowly, or not at all for a while.</summary>
public sealed class BufferedAnswerTests
{
    // More than the kernel takes for a client that reads nothing.
    private const int Large = 24_000_000;
    private const string Get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

    private static readonly string Body = string.Create(Large, 0, static (text, _) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = (char)('a' + ((i + (i / 1000)) % 23));
        }
    });

    private static readonly string Chunked = string.Concat(Enumerable.Range(0, 24).Select(i => $"{1_000_000:x}\r\n{Body.AsSpan(i * 1_000_000, 1_000_000)}\r\n")) + "0\r\n\r\n";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Application_is_free_for_the_next_request_while_its_client_has_read_nothing(bool hasLength)
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync(hasLength
            ? $"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}"
            : $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{Chunked}");
        await it.UntilAsync(use => use.Delivering == 1);
        Assert.Equal(0, (await it.Proxy.StateAsync()).Targets[0].InFlight);

        await using var next = await it.ConnectAsync(Get);
        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
        Assert.EndsWith("next", await next.ReadMessageAsync(), StringComparison.Ordinal);

        await client.ReadHeadAsync();
        Assert.Equal(Body, hasLength ? await client.ReadAsync(Large) : await ReadChunksAsync(client, Large));
        var traffic = (await it.Proxy.UntilAsync(state => state.Total.Requests == 2)).Targets[0].Traffic;
        Assert.Equal((Large + 4, 2), (traffic.BytesOut, traffic.ByStatus[200]));
        await it.UntilEmptyAsync();
        Assert.Equal(1, (await it.UseAsync()).ReadAhead);
    }

    [Fact]
    public async Task End_of_an_answer_that_comes_when_a_client_of_http_2_has_caught_up_reaches_it()
    {
        const int size = 2_000_000;
        await using var it = await BufferingProxy.StartAsync();
        using var client = new Http2Client(it.Proxy.Address);
        for (var i = 1; i <= 5; i++)
        {
            var asking = client.BeginAsync(new HttpRequestMessage(HttpMethod.Get, "/a"));
            await using var application = await it.Application.AcceptedSendingAsync();
            await application.SendAsync($"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{Body.AsSpan(0, size)}\r\n");
            using var answer = await asking;
            await it.UntilAsync(use => use.ReadAhead == i);
            await using var body = await answer.Content.ReadAsStreamAsync();
            await body.ReadExactlyAsync(new byte[size]);

            await application.SendAsync("3\r\nend\r\n0\r\n\r\n");

            using var rest = new StreamReader(body, Encoding.Latin1);
            Assert.Equal("end", await rest.ReadToEndAsync());
        }
    }

    [Fact]
    public async Task Place_on_the_application_is_free_while_its_client_has_read_nothing()
    {
        await using var it = await BufferingProxy.StartAsync();
        await it.LimitAsync(new Limits { MaxRequestsInFlight = 1 });
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.Delivering == 1);

        await using var next = await it.ConnectAsync(Get);

        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext");
        Assert.EndsWith("next", await next.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Access_log_tells_the_time_of_the_application_from_that_of_its_client()
    {
        var time = new FakeTimeProvider();
        await using var it = await BufferingProxy.StartAsync(change: options => options with { AccessLog = ProxyOptions.StandardOutput, AccessLogFormat = AccessLogFormat.Json }, time: time);
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        var sending = application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use =>
        {
            time.Advance(TimeSpan.FromMilliseconds(5));
            return use.Delivering == 1;
        });

        time.Advance(TimeSpan.FromMinutes(1));
        await client.ReadHeadAsync();
        await client.ReadAsync(Large);

        await sending;
        await it.Proxy.UntilAsync(state => state.Total.Requests == 1);
        var line = await Lab.Eventually.FindAsync("the line is there", _ => Task.FromResult(it.Proxy.AccessLog.ToString() is { Length: > 0 } text ? text : null));
        var request = JsonDocument.Parse(line).RootElement;
        Assert.InRange(request.GetProperty("upstream_ms").GetDouble(), 5, 59_999);
        Assert.InRange(request.GetProperty("duration_ms").GetDouble(), 60_000, 120_000);
    }

    [Fact]
    public async Task Replaced_release_is_idle_and_its_drain_cuts_nothing_once_it_has_given_its_whole_answer()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.Delivering == 1);
        await using var two = new RawBackend();

        var state = await it.SwitchAsync(two.Address, "two");

        Assert.Equal((0, 0), (state.Targets[1].InFlight, state.Targets[1].Streams));
        Assert.Null(state.Targets[1].Drain);
        await application.WaitForEndAsync();
        await client.ReadHeadAsync();
        Assert.Equal(Body, await client.ReadAsync(Large));
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Answer_that_still_needs_a_replaced_release_is_cut_with_it()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large + 1}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.ReadAhead == 1);
        await using var two = new RawBackend();

        await it.SwitchAsync(two.Address, "two");

        await client.WaitForEndAsync();
        await application.WaitForEndAsync();
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Client_gets_what_came_before_the_application_broke_off_and_sees_that_it_is_not_all()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using (var application = await it.Application.AcceptedSendingAsync())
        {
            await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large + 1}\r\n\r\n{Body}");
        }

        await it.UntilAsync(use => use.Delivering == 1);
        Assert.Equal(0, (await it.Proxy.StateAsync()).Targets[0].InFlight);
        await Assert.ThrowsAsync<SocketException>(client.ReadToEndAsync);
        await it.UntilEmptyAsync();
        Assert.Equal(Large, (await it.Proxy.StateAsync()).Total.BytesOut);
    }

    [Fact]
    public async Task Client_that_has_caught_up_gets_each_piece_at_once_again()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        await client.ReadHeadAsync();
        for (var round = 0; round < 3; round++)
        {
            await application.SendAsync($"{Large:x}\r\n{Body}\r\n");
            await it.UntilAsync(use => use.DiskBytes > 0);
            Assert.Equal(Body, await ReadChunksAsync(client, Large));
            for (var i = 0; i < 3; i++)
            {
                await application.SendAsync($"4\r\npi{round}{i}\r\n");
                Assert.Equal($"pi{round}{i}", await ReadChunksAsync(client, 4));
            }
        }

        await application.SendAsync("0\r\n\r\n");
        await client.ReadUntilAsync("0\r\n\r\n");
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Streams_are_not_taken_from_the_application_before_the_client_takes_them()
    {
        await using var it = await BufferingProxy.StartAsync(change: options => options with { MinBodyRate = 1 << 20 });

        await Task.WhenAll(
            AssertGoesAtOnceAsync(it, "Content-Type: text/event-stream"),
            AssertGoesAtOnceAsync(it, "Content-Type: application/grpc-web+proto"),
            AssertGoesAtOnceAsync(it, "X-Accel-Buffering: no"),
            AssertGoesAtOnceAsync(it, "Trailer: X-Sum"));

        Assert.Equal(0, (await it.UseAsync()).ReadAhead);
    }

    [Theory]
    [InlineData("no")]
    [InlineData("yes")]
    public async Task What_an_application_says_to_the_proxy_about_buffering_is_not_passed_on(string value)
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nX-Accel-Buffering: {value}\r\nContent-Length: 0\r\n\r\n");

        Assert.DoesNotContain("X-Accel", await client.ReadHeadAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Client_that_takes_nothing_is_ended_though_the_application_has_given_everything()
    {
        await using var it = await BufferingProxy.StartAsync(change: options => options with { MinBodyRate = 1 << 20 });
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.Delivering == 1);

        await it.Proxy.UntilAsync(state => state.Total.Requests == 1);

        await it.UntilEmptyAsync();
        Assert.InRange((await it.Proxy.StateAsync()).Total.BytesOut, 1, Large - 1);
    }

    [Fact]
    public async Task Client_that_takes_less_than_13_kB_a_second_but_more_than_it_has_to_gets_everything()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.Delivering == 1);
        await client.ReadHeadAsync();
        var taken = new StringBuilder(Large);

        // Longer than 5 s, which is all that a piece of 64 KiB had once, however slow a client may be.
        for (var i = 0; i < 8; i++)
        {
            taken.Append(await client.ReadAsync(10_000));
            await Lab.Eventually.PassAsync(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(Body, taken.Append(await client.ReadAsync(Large - taken.Length)).ToString());
    }

    [Fact]
    public async Task Client_that_leaves_leaves_nothing_behind_and_ends_what_the_application_still_sends()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {2L * Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.ReadAhead == 1);

        client.Reset();

        await application.WaitForEndAsync();
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Requests_that_a_client_has_sent_behind_another_one_are_not_begun_any_more_when_it_has_left()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync(Get + Get + Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.Delivering == 1);

        client.Reset();

        await it.Proxy.UntilAsync(state => state.Total.Requests == 3);
        Assert.Equal(1, it.Application.Accepted);
        Assert.False(application.HasUnread);
    }

    [Theory]
    [InlineData(1 << 20, 2 << 20, ByteSize.Largest)]
    [InlineData(128 << 10, 0, ByteSize.Largest)]
    [InlineData(0, 0, ByteSize.Largest)]
    [InlineData(4 << 20, 64 << 20, 1 << 20)]
    public async Task Answer_that_is_more_than_may_be_kept_goes_on_at_its_clients_pace(long memory, long disk, long limit)
    {
        await using var it = await BufferingProxy.StartAsync(
            new Buffering { Memory = 256 << 10, MaxAnswer = limit }, options => options with { BufferMemory = memory, BufferDisk = disk });
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        var sending = application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");

        await it.UntilAsync(use => use.Full == 1);
        Assert.False(sending.IsCompleted);
        var use = await it.UseAsync();
        Assert.InRange(use.MemoryBytes, 0, memory);
        Assert.InRange(use.DiskBytes, 0, disk);
        Assert.InRange(use.MemoryBytes + use.DiskBytes, 0, limit == ByteSize.Largest ? limit : limit + (512 << 10));
        await client.ReadHeadAsync();
        Assert.Equal(Body, await client.ReadAsync(Large));

        await sending;
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Folder_that_cannot_be_used_fails_no_request_and_is_counted()
    {
        await using var it = await BufferingProxy.StartAsync(change: options => options with { BufferDirectory = "/dev/null/buffers" });
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        var sending = application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use is { FileFailures: > 1, Full: 1 });

        await client.ReadHeadAsync();

        Assert.Equal(Body, await client.ReadAsync(Large));
        await sending;
        await it.UntilEmptyAsync();
        Assert.Equal(0, (await it.UseAsync()).Spilled);
    }

    [Fact]
    public async Task Files_have_no_name_and_what_a_killed_process_has_left_is_removed()
    {
        var folder = Directory.CreateTempSubdirectory("wp-");
        await File.Create(Path.Combine(folder.FullName, "former.body")).DisposeAsync();
        await using var it = await BufferingProxy.StartAsync(change: options => options with { BufferDirectory = folder.FullName });
        Assert.Empty(folder.GetFiles());
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");

        await it.UntilAsync(use => use is { Spilled: 1, DiskBytes: > 0 });

        Assert.Empty(folder.GetFiles());
        folder.Delete();
    }

    [Fact]
    public async Task Application_is_not_taken_ahead_of_while_its_client_is_late_for_an_instant_only()
    {
        await using var it = await BufferingProxy.StartAsync(time: new FakeTimeProvider());
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        var sending = application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");

        await client.ReadHeadAsync();
        Assert.Equal(Body, await client.ReadAsync(Large));

        await sending;
        Assert.Equal(0, (await it.UseAsync()).ReadAhead);
    }

    [Fact]
    public async Task Application_is_free_while_a_stream_of_http_2_takes_its_answer_with_its_trailers()
    {
        await using var it = await BufferingProxy.StartAsync();
        using var client = new Http2Client(it.Proxy.Address);
        var asking = client.BeginAsync(new HttpRequestMessage(HttpMethod.Get, "/a"));
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n{Chunked[..^2]}X-Sum: 1\r\n\r\n");
        await it.UntilAsync(use => use.Delivering == 1);
        Assert.Equal(0, (await it.Proxy.StateAsync()).Targets[0].InFlight);

        using var answer = await asking;

        Assert.Equal(Body, Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()));
        Assert.Equal("1", Assert.Single(answer.TrailingHeaders.GetValues("X-Sum")));
        await it.UntilEmptyAsync();
    }

    [Fact]
    public async Task Stream_of_http_2_that_is_reset_leaves_nothing_behind()
    {
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await Http2Connection.ConnectAsync(it.Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Get());
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{Body}");
        await it.UntilAsync(use => use.Delivering == 1);

        await client.ResetAsync(1);

        await it.UntilEmptyAsync();
        await it.Proxy.UntilAsync(state => state.Total.Requests == 1);
    }

    private static async Task AssertGoesAtOnceAsync(BufferingProxy it, string header)
    {
        await using var client = await it.ConnectAsync(Get);
        await using var application = await it.Application.AcceptedSendingAsync();
        await application.SendAsync($"HTTP/1.1 200 OK\r\n{header}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n");
        Assert.False(await application.TrySendAsync($"{Large:x}\r\n{Body}\r\n"));
    }

    private static async Task<string> ReadChunksAsync(RawConnection client, int bytes)
    {
        var body = new StringBuilder(bytes);
        while (body.Length < bytes)
        {
            var size = Convert.ToInt32((await client.ReadUntilAsync("\r\n"))[..^2], 16);
            body.Append((await client.ReadAsync(size + 2)).AsSpan(..size));
        }

        return body.ToString();
    }
}
