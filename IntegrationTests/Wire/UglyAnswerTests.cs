namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Each ugly answer of an application becomes a whole and correct one, a 502, or one that visibly breaks off.</summary>
public sealed class UglyAnswerTests(Lane lane) : IClassFixture<Lane>
{
    public static TheoryData<string> Names => [.. AnswerCorpus.All.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Answer_has_one_reading(string name)
    {
        var row = AnswerCorpus.All.Single(row => row.Name == name);
        lane.Application.TakeArrived();
        lane.Application.Note = static (request, connection) => $"{request.Target} {connection}";
        lane.Application.Answer = (request, number) => request.Target == "/row" ? new ApplicationAnswer(row.Sent, row.Then) : StrictApplication.Numbered(number);

        using var client = await WireConnection.ConnectAsync(lane.Proxy.Address);
        await client.SendAsync($"{row.Method} /row HTTP/1.1\r\nHost: a\r\n{row.Asks}\r\n");
        var seen = await WireClient.ReadAsync(client, [row.Method], count: 1);
        RequireReading(row.Sees, Reading(seen));
        await RequireNextAnswerAsync(client, isOver: row.Sees.EndsWith('!') && Reading(seen) != "502");

        Assert.Equal(row.Reuse, ReuseIn(lane.Application.TakeArrived()));
    }

    [Fact]
    public void Corpus_is_large_and_names_each_row_once()
    {
        Assert.True(AnswerCorpus.All.Count >= 40);
        Assert.Distinct(AnswerCorpus.All.Select(row => row.Name));
    }

    private static void RequireReading(string expected, string actual)
    {
        if (!expected.EndsWith("~!", StringComparison.Ordinal))
        {
            Assert.Equal(expected, actual);
        }
        else if (actual is not ("" or "502"))
        {
            Assert.True(actual.EndsWith('~') && expected.StartsWith(actual[..^1], StringComparison.Ordinal), actual);
        }
    }

    // Only the final answer counts, and of the Proxy's own ones only the status.
    private static string Reading(Seen seen) => seen.Answers.LastOrDefault(answer => answer.Status >= 200) switch
    {
        null => seen.Statuses,
        { Status: 502 } problem when problem.Value("Cache-Control") == "no-store" => "502",
        var answer => answer.Render(field => IsShown(field, answer)),
    };

    private static bool IsShown(Field field, StrictMessage answer) => field.Name.ToLowerInvariant() switch
    {
        "content-length" => answer.Framing == Framing.None,
        "date" or "transfer-encoding" => false,
        _ => true,
    };

    private async Task RequireNextAnswerAsync(WireConnection client, bool isOver)
    {
        if (isOver)
        {
            Assert.True(client.HasEnded || client.IsBroken || !await client.ReceiveAsync());
        }

        using var next = isOver ? await WireConnection.ConnectAsync(lane.Proxy.Address) : client;
        await next.SendAsync("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        var seen = await WireClient.ReadAsync(next, ["GET"]);
        Assert.Equal(("200", "ok"), (seen.Statuses, seen.Answers[0].Body));
    }

    // A safe request that got no answer arrives twice; the last time counts.
    private static Reuse ReuseIn(IReadOnlyList<string> arrived)
    {
        var connections = arrived.Where(line => line.StartsWith('/')).Select(line => line.Split(' ')).ToList();
        Assert.Equal("/next", connections[^1][0]);
        return connections.Last(line => line[0] == "/row")[1] == connections[^1][1] ? Reuse.Kept : Reuse.Dropped;
    }
}
