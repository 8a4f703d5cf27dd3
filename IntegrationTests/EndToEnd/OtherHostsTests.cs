using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Two and three hosts, each in a network namespace of its own, that answer for one another.</summary>
[Trait("Needs", "Lab")]
public sealed class OtherHostsTests
{
    private const int Requests = 6;

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Hosts_answer_for_one_whose_release_is_down_until_it_is_back(int hosts)
    {
        await using var street = await Street.BuildAsync(hosts);
        Assert.Equal(Enumerable.Range(1, hosts).Select(host => (200, host)), await Task.WhenAll(Enumerable.Range(1, hosts).Select(street.AskAsync)));

        await street.EndReleaseAsync(1);

        var answers = await AskAsync(street);
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(Enumerable.Range(2, hosts - 1), answers.Select(answer => answer.Host).Distinct().Order());

        await street.StartReleaseAsync(1);
        Assert.All(await AskAsync(street), answer => Assert.Equal((200, 1), answer));
    }

    [Fact]
    public async Task Host_whose_cable_is_pulled_is_passed_over_and_asked_again_when_it_is_back()
    {
        await using var street = await Street.BuildAsync(3);
        await street.EndReleaseAsync(1);
        await street.ConnectAsync(2, isConnected: false);

        // One request in a second finds out anew that host 2 is away, and is answered here: nothing of it went on to a third host.
        await Eventually.HoldsAsync("host 3 answers", async _ => await street.AskAsync(1) == (200, 3));

        await street.ConnectAsync(2, isConnected: true);
        await Eventually.HoldsAsync("host 2 answers again", async _ => await street.AskAsync(1) == (200, 2));
    }

    [Fact]
    public async Task Host_that_can_not_reach_any_other_says_so_itself()
    {
        await using var street = await Street.BuildAsync(2);
        await street.EndReleaseAsync(1);
        await street.ConnectAsync(2, isConnected: false);

        Assert.Equal((502, 0), await street.AskAsync(1));
    }

    private static async Task<IReadOnlyList<(int Status, int Host)>> AskAsync(Street street)
    {
        var answers = new List<(int Status, int Host)>();
        for (var i = 0; i < Requests; i++)
            answers.Add(await street.AskAsync(1));
        return answers;
    }
}
