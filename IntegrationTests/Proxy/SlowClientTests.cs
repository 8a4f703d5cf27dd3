using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Clients that send or take too slowly.</summary>
public sealed class SlowClientTests
{
    // So that the kernel's buffers don't hide for long that nobody reads.
    private const int Rate = 256 << 10;
    private const int Large = 16 << 20;

    [Fact]
    public async Task Client_that_sends_a_head_byte_by_byte_is_ended_however_it_goes_on()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { HeadTimeout = TimeSpan.FromSeconds(1) });
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\nX: ");
        var end = client.TryReadToEndAsync();

        while (!end.IsCompleted && await client.TrySendAsync("x"))
        {
            await Eventually.PassAsync(TimeSpan.FromMilliseconds(50));
        }

        Assert.StartsWith("HTTP/1.1 408 ", await end ?? "HTTP/1.1 408 ", StringComparison.Ordinal);
        Assert.Equal(0, backend.Accepted);
    }

    [Fact]
    public async Task Client_that_does_not_end_the_head_of_a_stream_is_ended()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { HeadTimeout = TimeSpan.FromSeconds(1) });
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);

        // HEADERS without END_HEADERS: a CONTINUATION has to follow. Source: RFC 9113, section 6.2.
        await client.SendAsync("\0\0\0\x1\0\0\0\0\x1");

        await client.WaitForEndAsync();
    }

    [Fact]
    public async Task Client_that_stops_sending_a_body_is_ended_and_the_application_learns_of_it()
    {
        await using var proxy = await StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbeginning");
        await using var connection = await backend.AcceptedSendingAsync();

        await connection.WaitForEndAsync();

        Assert.StartsWith("HTTP/1.1 408 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_takes_nothing_of_an_answer_is_ended_and_the_application_learns_of_it()
    {
        await using var proxy = await StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var connection = await backend.AcceptedSendingAsync();

        Assert.False(await connection.TrySendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{new string('a', Large)}"));

        await proxy.UntilAsync(state => state.Targets[0].InFlight == 0);
    }

    [Fact]
    public async Task Client_that_takes_an_answer_at_more_than_the_least_rate_is_not_ended_whatever_the_kernel_keeps_for_it()
    {
        const int leastRate = 16 << 10;
        const int pieces = 80;
        await using var proxy = await RunningProxy.StartAsync(options => options with { MinBodyRate = leastRate });
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var connection = await backend.AcceptedSendingAsync();
        await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n");
        var sending = SendAsync(connection);
        await client.ReadHeadAsync();

        // Twice the least rate, for longer than nothing may move.
        for (var i = 0; i < pieces; i++)
        {
            await client.ReadAsync(leastRate / 5);
            await Eventually.PassAsync(TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(Large - (pieces * (leastRate / 5)), (await client.ReadAsync(Large - (pieces * (leastRate / 5)))).Length);
        await sending;

        static async Task SendAsync(RawConnection connection)
        {
            const int piece = 64 << 10;
            for (var sent = 0; sent < Large; sent += piece)
            {
                await connection.SendAsync(new string('a', piece));
            }
        }
    }

    [Fact]
    public async Task Stream_on_which_nothing_happens_is_not_slow()
    {
        await using var proxy = await StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var slow = await proxy.ConnectAsync();
        await slow.SendAsync("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbeginning");
        await using var slowly = await backend.AcceptedSendingAsync();
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var connection = await backend.AcceptedSendingAsync();
        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
        await client.ReadUntilAsync("data: 1\n\n");

        // As long as it takes for a slow client to be ended.
        await slowly.WaitForEndAsync();
        await connection.SendAsync("data: 2\n\n");

        await client.ReadUntilAsync("data: 2\n\n");
    }

    private static Task<RunningProxy> StartAsync() => RunningProxy.StartAsync(options => options with { MinBodyRate = Rate });
}
