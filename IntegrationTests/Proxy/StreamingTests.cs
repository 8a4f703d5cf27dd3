namespace Wunderproxy.IntegrationTests.Proxy;

public class StreamingTests
{
    [Fact]
    public async Task Body_of_a_request_is_passed_on_as_it_comes_with_its_trailers()
    {
        await using var pair = await PairAsync(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n");
        await pair.Application.ReadHeadAsync();
        Assert.Equal("3\r\nabc\r\n", await pair.Application.ReadUntilAsync("abc\r\n"));

        await pair.Client.SendAsync("2\r\nde\r\n");
        Assert.Equal("2\r\nde\r\n", await pair.Application.ReadUntilAsync("de\r\n"));
        await pair.Client.SendAsync("0\r\nX-Sum: 42\r\nX-Forwarded-For: 6.6.6.6\r\nAuthorization: t\r\n\r\n");

        Assert.Equal("0\r\nX-Sum: 42\r\n\r\n", await pair.Application.ReadUntilAsync("\r\n\r\n"));
        await pair.Application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await pair.Client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Real-IP: 6.6.6.6")]
    [InlineData("x_real_ip: 6.6.6.6")]
    [InlineData("X-Request-Id: mine")]
    [InlineData("X-Request-Start: t=1")]
    [InlineData("Forwarded: for=6.6.6.6")]
    [InlineData("X-Forwarded-For: 6.6.6.6")]
    [InlineData("X-Forwarded-Proto: https")]
    public async Task Client_says_nothing_about_itself_in_trailers(string trailer)
    {
        await using var pair = await PairAsync($"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n{trailer}\r\nX-Sum: 42\r\n\r\n");
        await pair.Application.ReadHeadAsync();

        Assert.Equal("3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n", await pair.Application.ReadUntilAsync("42\r\n\r\n"));
    }

    [Fact]
    public async Task Body_with_a_length_is_passed_on_as_it_comes_and_counted()
    {
        await using var pair = await PairAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
        Assert.Contains("\r\nContent-Length: 6\r\n", await pair.Application.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("abc", await pair.Application.ReadAsync(3));

        await pair.Client.SendAsync("def");
        Assert.Equal("def", await pair.Application.ReadAsync(3));
        await pair.Application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nback");
        await pair.Client.ReadMessageAsync();

        var traffic = (await pair.Proxy.UntilAsync(s => s.Total.Requests == 1)).Targets[0].Traffic;
        Assert.Equal((6, 4), (traffic.BytesIn, traffic.BytesOut));
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    [InlineData("Content-Length: 3\r\n")]
    public async Task Head_of_an_answer_does_not_wait_for_its_body(string framing)
    {
        await using var pair = await PairAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await pair.Application.ReadHeadAsync();

        await pair.Application.SendAsync($"HTTP/1.1 200 OK\r\n{framing}\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", await pair.Client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_are_passed_on_at_once_and_counted_as_a_stream()
    {
        await using var pair = await PairAsync("GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
        await pair.Application.ReadHeadAsync();
        await pair.Application.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        await pair.Client.ReadHeadAsync();
        for (var i = 0; i < 3; i++)
        {
            await pair.Application.SendAsync($"8\r\ndata: {i}\n\r\n");
            Assert.Contains($"data: {i}\n", await pair.Client.ReadUntilAsync($"data: {i}\n"), StringComparison.Ordinal);
        }

        var target = (await pair.Proxy.StateAsync()).Targets[0];
        Assert.Equal((0, 1), (target.InFlight, target.Streams));

        await pair.Application.SendAsync("0\r\n\r\n");
        target = (await pair.Proxy.UntilAsync(s => s.Targets[0].Streams == 0)).Targets[0];
        Assert.Equal((1, 0), (target.Traffic.Requests, target.Traffic.Latency[0].Requests));
    }

    [Fact]
    public async Task Upgraded_connection_carries_bytes_both_ways_and_is_counted_as_a_stream()
    {
        await using var pair = await PairAsync(
            "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        var request = await pair.Application.ReadHeadAsync();
        Assert.Contains("\r\nUpgrade: websocket\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", request, StringComparison.Ordinal);
        await pair.Application.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101 ", await pair.Client.ReadHeadAsync(), StringComparison.Ordinal);

        await pair.Client.SendAsync("\x81\x85");
        Assert.Equal("\x81\x85", await pair.Application.ReadAsync(2));
        await pair.Application.SendAsync("\x81\x01");
        Assert.Equal("\x81\x01", await pair.Client.ReadAsync(2));

        var status = await pair.Proxy.StatusAsync();
        Assert.Equal((0, 1), (status.Applications[0].Targets[0].InFlight, status.Applications[0].Targets[0].Streams));
        Assert.Equal(1, status.Connections["upgraded"]);
        await pair.Client.DisposeAsync();
        await pair.Application.WaitForEndAsync();
        await pair.Proxy.UntilAsync(s => s.Targets[0].Streams == 0);
    }

    [Fact]
    public async Task Interim_answer_100_lets_the_body_come()
    {
        await using var pair = await PairAsync("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        Assert.Contains("\r\nExpect: 100-continue\r\n", await pair.Application.ReadHeadAsync(), StringComparison.Ordinal);
        await pair.Application.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 100 ", await pair.Client.ReadHeadAsync(), StringComparison.Ordinal);
        await pair.Client.SendAsync("abc");

        Assert.Equal("abc", await pair.Application.ReadAsync(3));
        await pair.Application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await pair.Client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusal_instead_of_100_reaches_the_client_without_the_body()
    {
        await using var pair = await PairAsync("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n");
        await pair.Application.ReadHeadAsync();
        await pair.Application.SendAsync("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", await pair.Client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_larger_than_any_default_limit_passes_whole()
    {
        const int size = 40_000_000;
        await using var pair = await PairAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
        await pair.Application.ReadHeadAsync();
        var piece = new string('x', 1_000_000);
        var sending = Task.Run(async () =>
        {
            for (var sent = 0; sent < size; sent += piece.Length)
            {
                await pair.Client.SendAsync(piece);
            }
        });
        for (var received = 0; received < size; received += piece.Length)
        {
            await pair.Application.ReadAsync(piece.Length);
        }

        await sending;
        await pair.Application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {piece.Length}\r\n\r\n{piece}");
        await pair.Client.ReadMessageAsync();
        Assert.Equal(size, (await pair.Proxy.UntilAsync(s => s.Total.Requests == 1)).Total.BytesIn);
    }

    [Fact]
    public async Task Client_that_leaves_ends_the_request_at_the_application_and_counts_as_499()
    {
        await using var pair = await PairAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await pair.Application.ReadHeadAsync();

        pair.Client.Reset();

        await pair.Application.WaitForEndAsync().WaitAsync(TimeSpan.FromSeconds(1), TimeProvider.System);
        var state = await pair.Proxy.UntilAsync(s => s.Targets[0].InFlight == 0);
        Assert.Equal(1, Assert.Contains(499, state.Targets[0].Traffic.ByStatus));
    }

    private static async Task<Pair> PairAsync(string request)
    {
        var proxy = await RunningProxy.StartAsync();
        var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        var client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        return new Pair(proxy, backend, client, await backend.AcceptedAsync());
    }

    private sealed record Pair(RunningProxy Proxy, RawBackend Backend, RawConnection Client, RawConnection Application) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Application.DisposeAsync();
            await Backend.DisposeAsync();
            await Proxy.DisposeAsync();
        }
    }
}
