using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What a client's first bytes make of its connection.</summary>
public class PriorKnowledgeTests
{
    // The first and last frame that such a client gets. Source: RFC 9113, section 6.8.
    private const string GoAway = "\0\0\x8\x7\0\0\0\0\0";

    [Fact]
    public async Task Preface_in_single_bytes_is_understood()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var client = await proxy.ConnectAsync();

        foreach (var one in Http2Connection.Preface + Http2Connection.NoSettings)
        {
            await client.SendAsync(one.ToString());
        }

        Assert.Equal('\x4', (await client.ReadAsync(9))[3]);
    }

    [Theory]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", GoAway)]
    [InlineData("PRI * HTTP/2.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", GoAway)]
    [InlineData("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 ")]
    [InlineData("PRI garbage\r\n\r\n", "HTTP/1.1 400 ")]
    [InlineData("PRJ * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505 ")]
    public async Task Garbage_behind_the_beginning_of_a_preface_is_refused(string garbage, string refusal)
    {
        await using var proxy = await RunningProxy.StartAsync();

        Assert.StartsWith(refusal, await proxy.ExchangeAsync(garbage), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_begins_like_a_preface_and_comes_in_pieces_is_served_as_http_1_1()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var client = await proxy.ConnectAsync();

        await client.SendAsync("P");
        await client.SendAsync("RI / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 503 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Half_a_preface_and_silence_is_over_when_the_time_for_a_head_is()
    {
        var time = new FakeTimeProvider();
        var limit = TimeSpan.FromSeconds(10);
        await using var connection = new DefaultConnectionContext();
        var pipe = new Pipe();
        connection.Transport = new Duplex(pipe.Reader, pipe.Writer);
        var isServed = false;
        await pipe.Writer.WriteAsync("PRI * HT"u8.ToArray());

        var serving = new PriorKnowledge(new InnerListener(time), limit, time).Watch(_ => Task.FromResult(isServed = true))(connection);

        time.Advance(limit - TimeSpan.FromMilliseconds(1));
        Assert.False(serving.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await serving.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        Assert.False(isServed);
    }

    [Fact]
    public async Task Half_a_preface_does_not_hold_up_the_stop()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("PRI * HT");
        await Eventually.HoldsAsync("the client is counted", async _ => (await proxy.StatusAsync()).Connections.Values.Sum() == 1);

        await proxy.Host.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System);

        await client.WaitForEndAsync();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
