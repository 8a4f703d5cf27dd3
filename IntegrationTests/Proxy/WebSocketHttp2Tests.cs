using System.Net;
using System.Net.WebSockets;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>WebSockets on streams of HTTP/2 (RFC 8441), to applications of HTTP/1.1.</summary>
public sealed class WebSocketHttp2Tests : ReplacedRelease
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly HttpMessageInvoker _connections = new(new SocketsHttpHandler());

    public override async ValueTask DisposeAsync()
    {
        _connections.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Websocket_begins_at_once_where_bodies_of_requests_are_collected()
    {
        await Proxy.PutAsync(Proxy.SnapshotOf(RunningProxy.TargetAt(One.Address, "one")) with { Buffering = new Buffering() });
        using var client = NewClient();

        await using var application = await OpenAsync(client);

        await application.SendAsync(WebSocketFrame.Of("hello", isMasked: false));
        Assert.Equal("hello", await ReceiveAsync(client));
    }

    [Fact]
    public async Task Application_sees_an_upgrade_and_messages_pass_both_ways()
    {
        using var client = NewClient();
        client.Options.AddSubProtocol("chat");
        client.Options.SetRequestHeader("X-Token", "abc");
        var connecting = ConnectAsync(client, "/ws?a=%2F");
        await using var application = await One.AcceptedAsync();

        var request = await WebSocketPair.AcceptAsync(application, "Sec-WebSocket-Protocol: chat\r\n");

        await connecting;
        Assert.StartsWith("GET /ws?a=%2F HTTP/1.1\r\n", request, StringComparison.Ordinal);
        foreach (var line in new[] { "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: chat", "X-Token: abc", "X-Forwarded-For: 127.0.0.1", $"Host: {Proxy.Address}" })
        {
            Assert.Contains($"\r\n{line}\r\n", request, StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain("Transfer-Encoding", request, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("chat", client.SubProtocol);
        await application.SendAsync(WebSocketFrame.Of("hello", isMasked: false));
        Assert.Equal("hello", await ReceiveAsync(client));
        await client.SendAsync(Encoding.ASCII.GetBytes("hi"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        Assert.Equal("\x81\x82", (await application.ReadAsync(8))[..2]);
        Assert.Equal(1, (await Proxy.StateAsync()).Targets[0].Streams);
    }

    [Fact]
    public async Task Client_and_application_are_told_1001_when_the_release_is_replaced_and_the_connection_goes_on()
    {
        using var client = NewClient();
        await using var application = await OpenAsync(client);
        await ReplaceAsync(Window, Window);

        Time.Advance(Window - Grace);

        Assert.Equal("", await ReceiveAsync(client));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, client.CloseStatus);
        await application.ReadAsync(8);
        await application.SendAsync(WebSocketFrame.GoingAway);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        await application.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
        Assert.Equal(1, (await Proxy.StatusAsync()).Connections.Values.Sum());
    }

    [Fact]
    public async Task Side_that_does_not_answer_is_cut_when_the_grace_is_over()
    {
        using var client = NewClient();
        await using var application = await OpenAsync(client);
        await ReplaceAsync(Window, Window);
        Time.Advance(Window - Grace);
        Assert.Equal("", await ReceiveAsync(client));
        await application.ReadAsync(8);

        Time.Advance(Grace);

        await application.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Client_that_gives_up_its_stream_ends_the_connection_to_the_application_within_a_second()
    {
        using var client = NewClient();
        await using var application = await OpenAsync(client);

        client.Abort();

        await application.WaitForEndAsync().WaitAsync(Second, TimeProvider.System);
        await Proxy.UntilAsync(s => s.Targets[0].Streams == 0);
    }

    [Fact]
    public async Task Client_that_ends_its_stream_ends_the_connection_to_the_application()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Connect, isLast: false);
        await using var application = await One.AcceptedAsync();
        await WebSocketPair.AcceptAsync(application);
        Assert.Equal(200, (await client.ReadAsync(Http2FrameType.Headers, 1)).Status);

        await client.SendDataAsync(1, "");

        await application.WaitForEndAsync();
        Assert.Equal((200, ""), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Application_that_ends_the_connection_ends_the_stream()
    {
        using var client = NewClient();
        var application = await OpenAsync(client);
        await application.SendAsync(WebSocketFrame.Close(1000, isMasked: false));
        Assert.Equal("", await ReceiveAsync(client));

        await application.DisposeAsync();

        await Proxy.UntilAsync(s => s.Targets[0].Streams == 0);
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403)]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 502)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 502)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 502)]
    public async Task Answer_that_is_no_agreement_never_begins_a_websocket(string answer, int status)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Connect, isLast: false);
        await using var application = await One.AcceptedAsync();
        await application.ReadHeadAsync();

        await application.SendAsync(answer);

        Assert.Equal(status, (await client.AnswerAsync(1)).Status);
    }

    [Fact]
    public async Task Websocket_waits_while_the_application_is_away()
    {
        var address = One.Address;
        One.ExpectsProbe = true;
        await Proxy.SwitchAsync(address, "again", snapshot => snapshot.HoldTimeout = TimeSpan.FromMinutes(1));
        await One.DisposeAsync();
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Connect, isLast: false);
        await Proxy.UntilAsync(state => state.Waiting == 1);

        await using var back = new RawBackend(address) { ExpectsProbe = false };
        back.AnswerAll("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        await Eventually.HoldsAsync("it has looked", async _ =>
        {
            Time.Advance(TimeSpan.FromMilliseconds(20));
            return (await Proxy.StateAsync()).Waiting == 0;
        });

        Assert.Equal((403, "no"), await client.AnswerAsync(1));
    }

    private static (string, string)[] Connect => [.. Http2Connection.Request("CONNECT", "/ws"), (":protocol", "websocket"), ("sec-websocket-version", "13")];

    private static ClientWebSocket NewClient() =>
        new() { Options = { HttpVersion = HttpVersion.Version20, HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact } };

    private static async Task<string> ReceiveAsync(ClientWebSocket client)
    {
        var buffer = new byte[100];
        var received = await client.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        return Encoding.ASCII.GetString(buffer, 0, received.Count);
    }

    private Task ConnectAsync(ClientWebSocket client, string path) =>
        client.ConnectAsync(new Uri($"ws://{Proxy.Address}{path}"), _connections, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);

    private async Task<RawConnection> OpenAsync(ClientWebSocket client)
    {
        var connecting = ConnectAsync(client, "/ws");
        var application = await One.AcceptedAsync();
        await WebSocketPair.AcceptAsync(application);
        await connecting;
        return application;
    }
}
