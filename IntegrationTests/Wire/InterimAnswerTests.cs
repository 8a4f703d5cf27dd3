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
