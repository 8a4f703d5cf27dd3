namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Requests of HTTP/2 that mean something else, or two things, in HTTP/1.1. Source: RFC 9113, sections 8.2.1, 8.3.1 and 10.3.</summary>
public sealed class Http2RequestTests : ServedTests
{
    [Theory]
    [InlineData(":method", "GET / HTTP/1.1\r\nX: y")]
    [InlineData(":method", "G ET")]
    [InlineData(":method", "get")]
    [InlineData(":path", "/ HTTP/1.1\r\nHost: evil\r\n\r\n")]
    [InlineData(":path", "/a b")]
    [InlineData(":path", "/a#b")]
    [InlineData(":path", "http://evil/")]
    [InlineData(":path", "a")]
    [InlineData(":path", "")]
    [InlineData(":path", "/%00")]
    [InlineData(":scheme", "http\r\nX: y")]
    [InlineData(":scheme", "https")]
    [InlineData(":authority", "a\r\nX: y")]
    [InlineData(":authority", "user@a")]
    [InlineData(":authority", "a b")]
    [InlineData(":authority", "a/b")]
    [InlineData(":unknown", "a")]
    [InlineData("x\r\ny", "a")]
    [InlineData("x y", "a")]
    [InlineData("x:", "a")]
    [InlineData("X-Upper", "a")]
    [InlineData("", "a")]
    [InlineData("x", "a\r\nX-Y: z")]
    [InlineData("x", "a\nb")]
    [InlineData("x", "a\0b")]
    [InlineData("x", "a\x7F")]
    [InlineData("connection", "close")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("upgrade", "websocket")]
    [InlineData("keep-alive", "timeout=5")]
    [InlineData("proxy-connection", "close")]
    [InlineData("te", "gzip")]
    [InlineData("content-length", "+2")]
    [InlineData("content-length", "2, 2")]
    [InlineData("content-length", "2")]
    [InlineData("host", "a\r\nX: y")]
    public async Task Request_that_is_malformed_never_reaches_the_application(string name, string value)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);

        // A pseudo header that stands there takes the place of the right one.
        await client.SendHeadersAsync(1, [.. Http2Connection.Get().Select(field => field.Name == name ? (name, value) : field), .. Http2Connection.Get().Any(field => field.Name == name) ? [] : new[] { (name, value) }]);

        Assert.NotEqual(200, await StatusOrNoneAsync(client));
        Assert.Equal(0, Backend.Accepted);
    }

    [Theory]
    [InlineData("host", "evil", "Host: a")]
    [InlineData("x-forwarded-for", "6.6.6.6", "X-Forwarded-For: 127.0.0.1")]
    [InlineData("x_forwarded_for", "6.6.6.6", "X-Forwarded-For: 127.0.0.1")]
    [InlineData("x-forwarded-host", "evil", "X-Forwarded-Host: a")]
    [InlineData("x-forwarded-proto", "https", "X-Forwarded-Proto: http")]
    public async Task What_a_client_says_beside_what_is_known_counts_for_nothing(string name, string value, string arrived)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, [.. Http2Connection.Get(), (name, value)]);
        await using var application = await Backend.AcceptedAsync();

        var lines = (await application.ReadHeadAsync()).Split("\r\n");

        Assert.Equal([arrived], lines.Where(line => line.Replace('_', '-').StartsWith(arrived.Split(' ')[0], StringComparison.OrdinalIgnoreCase)));
        await application.SendAsync(Ok);
        Assert.Equal((200, "ok"), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Body_longer_than_its_length_breaks_the_request_off_without_a_byte_too_many()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, [.. Http2Connection.Request("POST", "/"), ("content-length", "3")], isLast: false);
        await using var application = await Backend.AcceptedAsync();
        await application.ReadHeadAsync();

        await client.SendDataAsync(1, "abcGET /evil");

        Assert.Empty(await application.TryReadToEndAsync() ?? "");
    }

    [Fact]
    public async Task Head_with_more_fields_than_are_taken_never_reaches_the_application()
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);

        await client.SendHeadersAsync(1, [.. Http2Connection.Get(), .. Enumerable.Range(0, 101).Select(i => ($"x-{i}", "y"))]);

        Assert.Contains(await StatusOrNoneAsync(client), new[] { 0, 431 });
        Assert.Equal(0, Backend.Accepted);
    }

    [Theory]
    [InlineData("OPTIONS", "*", 204)]
    [InlineData("TRACE", "/", 405)]
    public async Task Request_that_is_answered_here_is_so_without_the_application(string method, string path, int status)
    {
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);

        await client.SendHeadersAsync(1, Http2Connection.Request(method, path));

        Assert.Equal(status, (await client.AnswerAsync(1)).Status);
        Assert.Equal(0, Backend.Accepted);
    }

    // Of some faults the server makes an error of the stream, of others one of the connection.
    private static async Task<int> StatusOrNoneAsync(Http2Connection client)
    {
        await client.ReadUntilAsync(frame => frame.Type == Http2FrameType.GoAway || (frame.Stream == 1 && frame.EndsStream));
        return client.Seen.FirstOrDefault(frame => frame.Type == Http2FrameType.Headers)?.Status ?? 0;
    }
}
