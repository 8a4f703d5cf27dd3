using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Each ugly request has one reading: the client sees it, and the application gets it or nothing.</summary>
public sealed class UglyRequestTests(Lane lane) : IClassFixture<Lane>
{
    private const string Last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    public static TheoryData<string> Names => [.. RequestCorpus.All.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Request_has_one_reading(string name)
    {
        var row = RequestCorpus.All.Single(row => row.Name == name);
        lane.Application.TakeArrived();

        var seen = await SendAsync(row);

        if (row.IsEnd && seen.Statuses == "400")
        {
            // Who leaves in the middle may be told so, or not.
            seen = new Seen([], "");
        }

        Assert.Equal(row.Sees.EndsWith('!') ? row.Sees[..^1].Trim() : row.Sees + " 200", seen.Statuses);
        await RequireArrivedAsync(row.Sees.EndsWith('!') ? row.Arrives : [.. row.Arrives, "GET /last"]);
    }

    [Fact]
    public void Corpus_is_large_and_names_each_row_once()
    {
        Assert.True(RequestCorpus.All.Count >= 150);
        Assert.Distinct(RequestCorpus.All.Select(row => row.Name));
    }

    private async Task<Seen> SendAsync(RequestRow row)
    {
        using var client = await WireConnection.ConnectAsync(lane.Proxy.Address);
        await client.SendAsync(row.IsEnd ? row.Sent : row.Sent + Last);
        if (row.IsEnd)
        {
            client.EndSending();
        }

        return await WireClient.ReadAsync(client, row.Sent.StartsWith("HEAD", StringComparison.Ordinal) ? ["HEAD", "GET"] : ["GET"]);
    }

    private async Task RequireArrivedAsync(string[] expected)
    {
        var broken = expected.Where(line => line.EndsWith('~')).Select(line => line[..^1]).SingleOrDefault();
        var arrived = lane.Application.TakeArrived();
        if (broken is null)
        {
            Assert.Equal(expected, arrived);
            return;
        }

        // Its beginning may have reached the application, or none of it; a whole request never.
        await Eventually.PassAsync(arrived.Count == 0 ? TimeSpan.FromMilliseconds(50) : TimeSpan.Zero);
        Assert.All([.. arrived, .. lane.Application.TakeArrived()], line => Assert.True(line.EndsWith('~') && broken.StartsWith(line[..^1], StringComparison.Ordinal), line));
    }
}
