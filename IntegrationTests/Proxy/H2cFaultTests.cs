using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Http2;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What becomes of requests to an application of HTTP/2 that refuses, resets, or breaks the rules; the test gives its answers frame by frame.</summary>
public sealed class H2cFaultTests : IAsyncLifetime
{
    private const int InternalError = 2;
    private const int RefusedStream = 7;
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc";

    private static readonly (string, string)[] Ok = [(":status", "200")];

    private readonly RawBackend _backend = new();
    private RunningProxy? _running;

    private RunningProxy Proxy => _running!;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningProxy.StartAsync();
        await Proxy.SwitchAsync(_backend.Address, change: Speak);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await _backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(Get)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")]
    public async Task Stream_that_the_application_refuses_is_sent_again(string request)
    {
        var answering = Proxy.ExchangeAsync(request);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);

        await application.ResetAsync(1, RefusedStream);

        await application.ReadAsync(Http2FrameType.Headers, 3);
        await application.SendHeadersAsync(3, Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_that_is_refused_again_and_again_is_answered_with_502()
    {
        var answering = Proxy.ExchangeAsync(Get);
        await using var application = await AcceptAsync();
        for (var stream = 1; !answering.IsCompleted; stream += 2)
        {
            var refusing = RefuseAsync(application, stream);
            await Task.WhenAny(answering, refusing);
        }

        Assert.StartsWith("HTTP/1.1 502 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_that_a_leaving_application_does_not_begin_with_is_sent_on_another_connection()
    {
        var answering = Proxy.ExchangeAsync(Get);
        await using var leaving = await AcceptAsync();
        await leaving.ReadAsync(Http2FrameType.Headers, 1);

        await leaving.GoAwayAsync(lastStream: 0);

        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);
        await application.SendHeadersAsync(1, Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_that_the_application_gives_up_is_not_sent_again()
    {
        var answering = Proxy.ExchangeAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);

        await application.ResetAsync(1, InternalError);

        Assert.StartsWith("HTTP/1.1 502 ", await answering, StringComparison.Ordinal);
        Assert.Equal(1, application.Seen.Count(frame => frame.Type == Http2FrameType.Headers));
    }

    [Fact]
    public async Task Request_without_a_body_that_met_the_end_of_the_connection_is_sent_once_more()
    {
        var answering = Proxy.ExchangeAsync(Get);
        await using (var ended = await AcceptAsync())
        {
            await ended.ReadAsync(Http2FrameType.Headers, 1);
        }

        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);
        await application.SendHeadersAsync(1, Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_with_a_body_is_not_sent_again_once_the_body_was_begun()
    {
        var answering = Proxy.ExchangeAsync(Post);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Data, 1);

        await application.ResetAsync(1, RefusedStream);

        Assert.StartsWith("HTTP/1.1 502 ", await answering, StringComparison.Ordinal);
        Assert.DoesNotContain(application.Seen, frame => frame.Type == Http2FrameType.Data && frame.Stream > 1 && frame.Payload.Length > 0);
    }

    [Theory]
    [InlineData("content-length", "-1")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("connection", "close")]
    public async Task Answer_that_is_not_valid_is_not_passed_on(string name, string value)
    {
        var answering = Proxy.ExchangeAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);

        await application.SendHeadersAsync(1, [.. Ok, (name, value)]);

        Assert.StartsWith("HTTP/1.1 502 ", await answering, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("5")]
    public async Task Answer_of_another_length_than_it_says_does_not_look_whole(string length)
    {
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);

        await application.SendHeadersAsync(1, [.. Ok, ("content-length", length)], isLast: false);
        await application.SendDataAsync(1, "abc");

        // Broken off, or not begun.
        Assert.StartsWith("HTTP/1.1 502 ", await client.TryReadToEndAsync() ?? "HTTP/1.1 502 ", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_is_cut_short_does_not_look_whole()
    {
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await AcceptAsync();
        await application.ReadAsync(Http2FrameType.Headers, 1);
        await application.SendHeadersAsync(1, Ok, isLast: false);
        await application.SendDataAsync(1, "abc", isLast: false);
        await client.ReadUntilAsync("abc");

        await application.ResetAsync(1, InternalError);

        Assert.Null(await client.TryReadToEndAsync());
    }

    [Fact]
    public async Task Websocket_that_the_application_does_not_take_over_http_2_is_answered_with_501()
    {
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        await using var application = await AcceptAsync();

        Assert.StartsWith("HTTP/1.1 501 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(application.Seen, frame => frame.Type == Http2FrameType.Headers);
    }

    [Fact]
    public async Task Requests_that_waited_for_a_connection_that_could_not_be_made_do_not_wait_for_one_of_their_own()
    {
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        await using var only = await RawConnection.ConnectAsync((IPEndPoint)full.LocalEndPoint!);
        var time = new FakeTimeProvider();
        using var connections = new Http2Connections((IPEndPoint)full.LocalEndPoint!, time);
        var waiting = Enumerable.Range(0, 5).Select(_ => connections.SendAsync(NewRequest(full.LocalEndPoint!), CancellationToken.None)).ToList();

        await Eventually.HoldsAsync("one has waited for a second", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return waiting.Exists(request => request.IsCompleted);
        });

        foreach (var request in waiting)
        {
            var failure = await Assert.ThrowsAsync<HttpRequestException>(() => request.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System));
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(Http2Failure.Of(failure, hasAnswer: false, isTaken: false)).SocketErrorCode);
        }
    }

    private static HttpRequestMessage NewRequest(EndPoint address) =>
        new(HttpMethod.Get, $"http://{address}/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private static void Speak(ApplicationSnapshot snapshot) => snapshot.Target = snapshot.Target! with { Protocol = ApplicationProtocol.H2c };

    private static async Task RefuseAsync(Http2Connection application, int stream)
    {
        await application.ReadAsync(Http2FrameType.Headers, stream);
        await application.ResetAsync(stream, RefusedStream);
    }

    private async Task<Http2Connection> AcceptAsync() => await Http2Connection.AcceptAsync(await _backend.AcceptedAsync());
}
