using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Answers that the Proxy compresses, as clients get them.</summary>
public sealed class CompressionTests
{
    private static readonly string Page = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"<p class=\"line\">{i * 7919 % 1000} of {i}</p>\n"));
    private static readonly string Chunked = string.Concat(Page.Chunk(10_000).Select(piece => $"{piece.Length:x}\r\n{new string(piece)}\r\n")) + "0\r\n\r\n";

    [Theory]
    [InlineData("br", "Content-Length")]
    [InlineData("gzip", "Content-Length")]
    [InlineData("br", "chunked")]
    [InlineData("gzip", "chunked")]
    [InlineData("br", "close")]
    [InlineData("gzip", "close")]
    public async Task Compressed_answer_is_the_one_that_the_application_gave(string coding, string framing)
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await SwitchAsync(proxy, application);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n");
        await using (var connection = await application.AcceptedSendingAsync())
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"v1\"\r\n" + framing switch
            {
                "Content-Length" => $"Content-Length: {Page.Length}\r\n\r\n{Page}",
                "chunked" => $"Transfer-Encoding: chunked\r\n\r\n{Chunked}",
                _ => $"\r\n{Page}",
            });
        }

        var answer = await client.ReadToEndAsync();

        var head = answer[..(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 2)];
        Assert.Contains($"\r\nContent-Encoding: {coding}\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nETag: W/\"v1\"\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nVary: Accept-Encoding\r\n", head, StringComparison.Ordinal);
        Assert.Equal(Page, CompressedContent.Decode(coding, Unchunked(answer[(head.Length + 2)..])));
        Assert.InRange((await proxy.UntilAsync(state => state.Total.Requests == 1)).Total.BytesOut, 1, Page.Length / 2);
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Each_piece_of_an_answer_reaches_the_client_before_the_next_one_is_there(string coding)
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await SwitchAsync(proxy, application);
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{proxy.Address}/a");
        request.Headers.AcceptEncoding.ParseAdd(coding);
        var asking = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var connection = await application.AcceptedSendingAsync();
        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
        using var answer = await asking;
        await using var body = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[100];
        for (var i = 0; i < 5; i++)
        {
            await connection.SendAsync($"8\r\n{{\"n\": {i}}}\r\n");
            var count = await body.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
            Assert.Equal($"{{\"n\": {i}}}", Encoding.ASCII.GetString(buffer, 0, count));
        }

        await connection.SendAsync("0\r\n\r\n");
        Assert.Equal(0, await body.ReadAsync(buffer));
    }

    [Fact]
    public async Task Head_alone_says_what_it_would_say_before_the_body()
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await SwitchAsync(proxy, application);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("HEAD /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        await using var connection = await application.AcceptedSendingAsync();
        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccept-Ranges: bytes\r\nContent-Length: 5000\r\n\r\n");

        var head = await client.ReadHeadAsync();

        Assert.Contains("\r\nContent-Encoding: gzip\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Length", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Accept-Ranges", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_compressed_unless_it_is_asked_for()
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await proxy.SwitchAsync(application.Address);
        application.AnswerAll($"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {Page.Length}\r\n\r\n{Page}");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");

        var answer = await client.ReadMessageAsync();

        Assert.DoesNotContain("Vary", answer, StringComparison.Ordinal);
        Assert.EndsWith(Page, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_sees_that_an_answer_that_the_application_broke_off_is_not_all()
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await SwitchAsync(proxy, application);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        await using (var connection = await application.AcceptedSendingAsync())
        {
            await connection.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {Page.Length + 1}\r\n\r\n{Page}");
            await client.ReadHeadAsync();
        }

        var rest = await client.TryReadToEndAsync();

        Assert.False(rest?.EndsWith("0\r\n\r\n", StringComparison.Ordinal) ?? false);
        await proxy.UntilAsync(state => state.Targets[0].InFlight == 0);
    }

    [Fact]
    public async Task Streams_of_http_2_get_compressed_answers_too()
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await SwitchAsync(proxy, application);
        application.AnswerAll($"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {Page.Length}\r\n\r\n{Page}");
        using var client = new Http2Client(proxy.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/a");
        request.Headers.AcceptEncoding.ParseAdd("br");

        using var answer = await client.SendAsync(request);

        Assert.Equal("br", Assert.Single(answer.Content.Headers.ContentEncoding));
        Assert.Equal(Page, await CompressedContent.ReadAsync(answer.Content));
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Answers_of_an_application_that_speaks_http_2_are_compressed_too(string coding)
    {
        await using var proxy = await StartAsync();
        await using var application = await GrpcBackend.StartAsync();
        await proxy.SwitchAsync(application.Address, change: snapshot => (snapshot.Target, snapshot.Compression) = (RunningProxy.H2cTargetAt(application.Address), new Compression()));
        application.Answer = context =>
        {
            context.Response.ContentType = "text/html";
            return context.Response.WriteAsync(Page);
        };
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{proxy.Address}/a");
        request.Headers.AcceptEncoding.ParseAdd(coding);

        using var answer = await client.SendAsync(request);

        Assert.Equal("Accept-Encoding", answer.Headers.Vary.ToString());
        Assert.Equal(Page, await answer.Content.ReadAsStringAsync());
        Assert.InRange((await proxy.UntilAsync(state => state.Total.Requests == 1)).Total.BytesOut, 1, Page.Length / 2);
    }

    [Fact]
    public async Task Trailers_follow_a_compressed_answer_on_streams_of_http_2()
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await SwitchAsync(proxy, application);
        application.AnswerAll($"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n{Chunked[..^2]}X-Sum: 1\r\n\r\n");
        using var client = new Http2Client(proxy.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/a");
        request.Headers.AcceptEncoding.ParseAdd("gzip");

        using var answer = await client.SendAsync(request);

        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
        Assert.Equal(Page, await CompressedContent.ReadAsync(answer.Content));
        Assert.Equal("1", Assert.Single(answer.TrailingHeaders.GetValues("X-Sum")));
    }

    [Fact]
    public async Task Events_are_neither_compressed_nor_said_to_be()
    {
        await using var proxy = await StartAsync();
        await using var application = new RawBackend();
        await proxy.SwitchAsync(application.Address, change: snapshot => snapshot.Compression = new Compression { Types = ["text/*"] });
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        await using var connection = await application.AcceptedSendingAsync();
        await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");

        var head = await client.ReadHeadAsync();

        Assert.DoesNotContain("gzip", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Vary", head, StringComparison.Ordinal);
        await client.ReadUntilAsync("data: 1");
    }

    private static Task<RunningProxy> StartAsync() => RunningProxy.StartAsync();

    private static Task<ApplicationState> SwitchAsync(RunningProxy proxy, RawBackend application) =>
        proxy.SwitchAsync(application.Address, "c1", snapshot => (snapshot.Compression, snapshot.Buffering) = (new Compression(), new Buffering()));

    private static byte[] Unchunked(string chunks)
    {
        var body = new StringBuilder();
        for (var position = 0; ;)
        {
            var end = chunks.IndexOf("\r\n", position, StringComparison.Ordinal);
            var size = Convert.ToInt32(chunks[position..end], 16);
            if (size == 0)
            {
                return Encoding.Latin1.GetBytes(body.ToString());
            }

            body.Append(chunks, end + 2, size);
            position = end + 2 + size + 2;
        }
    }
}
