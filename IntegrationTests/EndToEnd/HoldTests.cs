using System.Diagnostics;
using System.Globalization;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>What becomes of requests while the application is away. <c>WUNDERPROXY_KILLS</c> kills it more often.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class HoldTests(LabHost lab)
{
    private const int Visitors = 8;
    private const double LargestFailedShare = 0.001;

    private static readonly TimeSpan BetweenKills = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Away = TimeSpan.FromMilliseconds(300);

    private static int Kills => Environment.GetEnvironmentVariable("WUNDERPROXY_KILLS") is { Length: > 0 } kills ? int.Parse(kills, CultureInfo.InvariantCulture) : 3;

    [Fact]
    public async Task Application_that_is_killed_every_ten_seconds_and_soon_back_fails_at_most_one_request_in_a_thousand()
    {
        await using var shop = Shop.InDirectory(lab, "killed");
        shop.Start();
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");

        // Its back-off grows with each crash; here the application is back at once each time.
        await shop.KillControllerAsync();
        using var over = new CancellationTokenSource();
        var visitors = Enumerable.Range(0, Visitors).Select(_ => VisitAsync(shop, over.Token)).ToList();
        await KillAsync(shop);
        await over.CancelAsync();
        var (asked, failures) = ((await Task.WhenAll(visitors)).Sum(v => v.Asked), (await Task.WhenAll(visitors)).SelectMany(v => v.Failures).ToList());

        Assert.True(failures.Count <= asked * LargestFailedShare, $"{failures.Count} of {asked} failed: {string.Join("; ", failures.Take(5))}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{Kills} kills, {asked} requests, {failures.Count} failed{string.Concat(failures.Select(f => ", " + f))}");
    }

    [Fact]
    public async Task Requests_wait_in_a_pause_until_the_release_that_was_deployed_meanwhile_answers_them()
    {
        await using var shop = Shop.InDirectory(lab, "paused");
        shop.Start();
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");

        Assert.Equal(200, (await shop.PostAsync("pause", "")).Status);
        await Eventually.HoldsAsync("traffic is paused", async _ => (await shop.StatusAsync()).Paused && !await AnswersWithinAsync(shop, TimeSpan.FromMilliseconds(200)));
        var waiting = shop.Client.GetStringAsync("");
        await shop.WaitForEndAsync(await shop.DeployAsync(await shop.ConfigurationAsync("v2")));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(200, (await shop.PostAsync("resume", "")).Status);

        Assert.Equal("hello from v2", await waiting);
    }

    private static async Task<bool> AnswersWithinAsync(Shop shop, TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit, TimeProvider.System);
        try
        {
            await shop.Client.GetStringAsync("", deadline.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task KillAsync(Shop shop)
    {
        var engine = LabEngine.Open(lab);
        var container = Assert.Single(await shop.ContainersAsync());
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = (await engine.InspectContainerAsync(container.Id, CancellationToken.None))!;
            await Command.RunAsync("kill", ["-KILL", $"{before.Pid}"], TimeSpan.FromSeconds(5));
            await Eventually.PassAsync(Away);
            await Eventually.HoldsAsync("it has ended", async token => (await engine.InspectContainerAsync(container.Id, token))!.Pid is null);
            await engine.StartContainerAsync(container.Id, CancellationToken.None);
            await Eventually.PassAsync(BetweenKills);
        }
    }

    private static async Task<(int Asked, List<string> Failures)> VisitAsync(Shop shop, CancellationToken over)
    {
        var (asked, failures) = (0, new List<string>());
        for (; !over.IsCancellationRequested; asked++)
        {
            var began = Stopwatch.GetTimestamp();
            try
            {
                using var answer = await shop.Client.GetAsync("", CancellationToken.None);
                if (!answer.IsSuccessStatusCode)
                    failures.Add($"{(int)answer.StatusCode} after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s");
            }
            catch (HttpRequestException e)
            {
                failures.Add($"{e.Message} after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s");
            }
        }

        return (asked, failures);
    }
}
