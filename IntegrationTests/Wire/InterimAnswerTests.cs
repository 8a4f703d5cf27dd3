using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Interim answers of an application, and who gets them.</summary>
public sealed class InterimAnswerTests(Lane lane) : IClassFixture<Lane>
{
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-A: b\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public async Task Early_hints_come_before_the_answer_does()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var connection = await backend.AcceptedSendingAsync();

        await connection.SendAsync(Hints);

        Assert.Equal(Hints, await client.ReadHeadAsync());
        await connection.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_get_theirs_as_a_frame_between_those_of_others()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        var link = new string('x', 300);
        var expected = $"\b\u0003103\0\u0004link\u007F{(char)(0x80 | 45)}\u0001{link}\0\u0003x-a\u0001b";
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);
        for (var stream = 1; stream < 60; stream += 2)
        {
            await client.SendHeadersAsync(stream, Http2Connection.Get());
            await using var connection = await backend.AcceptedSendingAsync();

            await connection.SendAsync($"HTTP/1.1 103 Early Hints\r\nLink: {link}\r\nX-A: b\r\n\r\n");

            Assert.Equal(expected, (await client.ReadAsync(Http2FrameType.Headers, stream)).Payload);
            await connection.SendAsync(Ok);
            Assert.Equal(200, (await client.ReadAsync(Http2FrameType.Headers, stream)).Status);
            Assert.Equal("ok", (await client.ReadAsync(Http2FrameType.Data, stream)).Payload);
        }
    }

    [Fact]
    public async Task Streams_that_run_at_once_get_their_hints_and_answers_whole()
    {
        const int streams = 50;
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        var body = new string('y', 20_000);
        backend.AnswerAll($"{Hints}{Hints}HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);
        await client.SendAsync("\0\0\u0004\b\0\0\0\0\0\u003F\0\0\0");
        for (var i = 0; i < streams; i++)
        {
            await client.SendHeadersAsync((2 * i) + 1, Http2Connection.Get());
        }

        for (var i = 0; i < streams; i++)
        {
            await client.ReadUntilAsync(frame => frame.Stream == (2 * i) + 1 && frame.EndsStream);
            var frames = client.Seen.Where(frame => frame.Stream == (2 * i) + 1).ToList();
            Assert.Equal([103, 103, 200], frames.Where(frame => frame.Type == Http2FrameType.Headers).Select(frame => frame.Status));
            Assert.Equal(body, string.Concat(frames.Where(frame => frame.Type == Http2FrameType.Data).Select(frame => frame.Payload)));
        }
    }

    [Theory]
    [InlineData(Hints + Ok, "1.1", "103 200")]
    [InlineData(Hints + Ok, "1.0", "200")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n" + Ok, "1.1", "200")]
    [InlineData("HTTP/1.1 102 Processing\r\n\r\n" + Hints + Ok, "1.1", "102 103 200")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nConnection: X-A\r\nX-A: b\r\n\r\n" + Ok, "1.1", "200")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nKeep-Alive: 1\r\nTransfer-Encoding: chunked\r\n\r\n" + Ok, "1.1", "103 200")]
    public async Task Client_gets_the_interim_answers_that_it_knows(string sent, string version, string expected)
    {
        lane.Application.Answer = (_, _) => new ApplicationAnswer(sent, After.Keep);
        using var client = await WireConnection.ConnectAsync(lane.Proxy.Address);
        await client.SendAsync($"GET / HTTP/{version}\r\nHost: a\r\n\r\n");

        var seen = await WireClient.ReadAsync(client, ["GET"], count: 1);

        Assert.Equal(expected, seen.Statuses);
        Assert.DoesNotContain(seen.Answers.SelectMany(answer => answer.Fields), field => field.Name is "Keep-Alive");
    }
}
