using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Both ends of a WebSocket that goes through the Proxy.</summary>
internal sealed record WebSocketPair(RawConnection Client, RawConnection Application) : IAsyncDisposable
{
    /// <summary>Opens one, and waits until a frame has gone through it.</summary>
    public static async Task<WebSocketPair> OpenAsync(RunningProxy proxy, RawBackend backend, string path = "/ws") => await OpenAsync(await proxy.ConnectAsync(), backend, path);

    /// <summary>Opens one on a client's connection.</summary>
    public static async Task<WebSocketPair> OpenAsync(RawConnection client, RawBackend backend, string path = "/ws")
    {
        await client.SendAsync(
            $"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        var head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 101 ", head, StringComparison.Ordinal);
        Assert.Contains("\r\nUpgrade: websocket\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: Upgrade\r\n", head, StringComparison.Ordinal);
        var pair = new WebSocketPair(client, application);
        await pair.AssertPassesAsync("hello");
        return pair;
    }

    /// <summary>Agrees to a WebSocket, in the application's place.</summary>
    /// <returns>The head of the request.</returns>
    public static async Task<string> AcceptAsync(RawConnection application, string headers = "")
    {
        var request = await application.ReadHeadAsync();
        var answer = WebSocketKey.AnswerTo(request.Split("Sec-WebSocket-Key: ")[1].Split("\r\n")[0]);
        await application.SendAsync($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {answer}\r\n{headers}\r\n");
        return request;
    }

    /// <summary>Expects that a frame passes both ways, and so that nobody was told to close before.</summary>
    public async Task AssertPassesAsync(string payload)
    {
        var (up, down) = (WebSocketFrame.Of(payload, isMasked: true), WebSocketFrame.Of(payload, isMasked: false));
        await Client.SendAsync(up);
        Assert.Equal(up, await Application.ReadAsync(up.Length));
        await Application.SendAsync(down);
        Assert.Equal(down, await Client.ReadAsync(down.Length));
    }

    /// <summary>Expects that both sides are told to close.</summary>
    public async Task AssertToldAsync()
    {
        await AssertClientToldAsync();
        await AssertApplicationToldAsync();
    }

    public async Task AssertClientToldAsync() => Assert.Equal(WebSocketFrame.GoingAway, await Client.ReadAsync(4));

    /// <summary>Expects the Close as a client sends it.</summary>
    public async Task AssertApplicationToldAsync()
    {
        var close = await Application.ReadAsync(8);
        Assert.Equal("\x88\x82", close[..2]);
        Assert.Equal("\x03\xE9", WebSocketFrame.Masked(close[6..], close[2..6]));
    }

    /// <summary>Lets both sides answer a Close.</summary>
    public async Task AnswerAsync()
    {
        await Application.SendAsync(WebSocketFrame.GoingAway);
        await Client.SendAsync(WebSocketFrame.Close(1001, isMasked: true));
    }

    /// <summary>Expects that both connections end, and nothing more comes before.</summary>
    public async Task AssertEndsAsync()
    {
        Assert.Equal("", await Client.ReadToEndAsync());
        Assert.Equal("", await Application.TryReadToEndAsync() ?? "");
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Application.DisposeAsync();
    }
}
