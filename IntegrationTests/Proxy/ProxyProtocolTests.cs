using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Connections that begin with a header of the PROXY protocol.</summary>
public sealed class ProxyProtocolTests : IAsyncLifetime
{
    private const string Line = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Named = "\r\nX-Forwarded-For: 192.0.2.1\r\n";

    private readonly RawBackend _backend = new();
    private RunningProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync(options => options with
        {
            Listen = [ListenAddress.TryParse("proxy-protocol:127.0.0.1:0")!, ListenAddress.TryParse("127.0.0.1:0")!],
        });
        await _proxy.SwitchAsync(_backend.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Theory]
    [InlineData(Line, "192.0.2.1")]
    [InlineData(ProxyHeaderTests.Ipv4, "192.0.2.1")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "2001:db8::1")]
    [InlineData("PROXY UNKNOWN\r\n", "127.0.0.1")]
    [InlineData(ProxyHeaderTests.Signature + "\x20\0\0\0", "127.0.0.1")]
    public async Task Application_learns_the_address_that_the_header_names(string header, string address)
    {
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(header + Get);

        Assert.Contains($"\r\nX-Forwarded-For: {address}\r\n", await ServeAsync(client), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Line)]
    [InlineData(ProxyHeaderTests.Ipv4)]
    public async Task Header_and_request_may_come_byte_by_byte(string header)
    {
        await using var client = await _proxy.ConnectAsync();
        foreach (var one in header + Get)
        {
            await client.SendAsync(one.ToString());
        }

        Assert.Contains(Named, await ServeAsync(client), StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_requests_of_the_connection_are_the_clients()
    {
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(Line + Get);
        await using var application = await _backend.AcceptedAsync();
        foreach (var _ in Enumerable.Range(0, 3))
        {
            Assert.Contains(Named, await application.ReadHeadAsync(), StringComparison.Ordinal);
            await application.SendAsync(Ok);
            await client.ReadMessageAsync();
            await client.SendAsync(Get);
        }
    }

    [Fact]
    public async Task Http_2_with_prior_knowledge_follows_the_header()
    {
        await using var client = new Http2Connection(await _proxy.ConnectAsync());
        await client.SendAsync(Line + Http2Connection.Preface + Http2Connection.NoSettings);
        await client.SendHeadersAsync(1, Http2Connection.Get());
        await using var application = await _backend.AcceptedAsync();

        Assert.Contains(Named, await application.ReadHeadAsync(), StringComparison.Ordinal);
        await application.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Websocket_is_the_clients_too()
    {
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(Line + "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        await using var application = await _backend.AcceptedAsync();

        Assert.Contains(Named, await application.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Get)]
    [InlineData("PROXY TCP4 nobody 198.51.100.1 1 2\r\n" + Get)]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n" + Get)]
    [InlineData(ProxyHeaderTests.Signature + "\x31\x11\0\0" + Get)]
    [InlineData(Http2Connection.Preface)]
    public async Task Connection_without_a_good_header_is_closed_without_a_word(string bytes)
    {
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(bytes);

        Assert.Equal("", await client.TryReadToEndAsync() ?? "");
        Assert.Equal(0, _backend.Accepted);
    }

    [Fact]
    public async Task Address_that_expects_no_header_takes_none()
    {
        await using var client = await RawConnection.ConnectAsync(System.Net.IPEndPoint.Parse(_proxy.Host.Listening[1]));
        await client.SendAsync(Line + Get);

        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal(0, _backend.Accepted);
    }

    [Fact]
    public async Task Half_a_header_does_not_hold_up_the_stop()
    {
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync("PROXY TCP4");
        await Eventually.HoldsAsync("the client is counted", async _ => (await _proxy.StatusAsync()).Connections.Values.Sum() == 1);

        await _proxy.Host.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System);

        await client.WaitForEndAsync();
    }

    [Theory]
    [InlineData("PROXY TCP4", 10)]
    [InlineData("", 10)]
    [InlineData(Line, 130)]
    public async Task Header_has_as_long_as_a_head_and_the_first_request_as_long_as_any_client(string sent, int seconds)
    {
        var time = new FakeTimeProvider();
        await using var connection = new DefaultConnectionContext();
        var pipe = new Pipe();
        connection.Transport = new Duplex(pipe.Reader, pipe.Writer);
        var isServed = false;
        await pipe.Writer.WriteAsync(System.Text.Encoding.ASCII.GetBytes(sent));
        var protocol = new ProxyProtocol(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(130), time);

        var serving = protocol.Watch(_ => Task.FromResult(isServed = true))(connection);

        time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.False(serving.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await serving.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        Assert.False(isServed);
    }

    private async Task<string> ServeAsync(RawConnection client)
    {
        await using var application = await _backend.AcceptedAsync();
        var request = await application.ReadHeadAsync();
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        return request;
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
