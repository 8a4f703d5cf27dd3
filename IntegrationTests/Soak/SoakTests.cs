using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>Started by run.sh only, for as long as it is told.</summary>
/// <remarks>
/// Two applications. The steady one keeps its Controller and its Proxy for the whole time, so that what they hold can be compared; registry, store and
/// engine fail around it, and its containers crash. The shaken one has its Controller and its Proxy killed as well.
/// </remarks>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class SoakTests(LabHost lab)
{
    private static readonly TimeSpan Seldom = TimeSpan.FromSeconds(35);
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(25);

    [Fact(Explicit = true)]
    public async Task Deploying_and_breaking_for_as_long_as_it_is_told_fails_no_request_and_lets_nothing_grow()
    {
        var options = SoakOptions.FromEnvironment();
        using var log = new SoakLog(Path.Combine(options.Results, "soak.log"));
        var disturbances = new Disturbances(lab, log);
        await using var steady = await SoakedShop.StartAsync(lab, await Shop.InS3Async(lab, "steady"), log, disturbances, Steady, options.Seed);
        await using var shaken = await SoakedShop.StartAsync(lab, Shop.InDirectory(lab, "shaken"), log, disturbances, Shaken, options.Seed + 1);
        using var sampler = new Sampler(lab, steady, shaken, Path.Combine(options.Results, "soak.csv"));

        await RunAsync(options.Length, log, steady.RunAsync, shaken.RunAsync, sampler.RunAsync);
        await steady.StopLoadAsync();
        await shaken.StopLoadAsync();

        var summary = new SoakSummary(options, steady, shaken, sampler.Growths(options.WarmUp));
        await File.WriteAllTextAsync(Path.Combine(options.Results, "soak.md"), summary.ToString());
        Assert.Equal("", steady.Record.Failures);
        Assert.Equal("", shaken.Record.Failures);
        Assert.Empty(summary.Grown);
    }

    private static SoakedShopPlan Steady => new(
        Often, Pause: TimeSpan.FromMilliseconds(60), MayLoseProxy: false,
        Disturbance.None, Disturbance.None, Disturbance.None, Disturbance.RegistryOutage, Disturbance.S3Outage, Disturbance.S3Fault, Disturbance.EngineHang);

    private static SoakedShopPlan Shaken => new(
        Seldom, Pause: TimeSpan.FromMilliseconds(200), MayLoseProxy: true, Disturbance.None, Disturbance.EngineHang, Disturbance.ControllerCrash, Disturbance.ControllerCrash);

    // Whichever fails ends the others, which finish what they have begun.
    private static async Task RunAsync(TimeSpan length, SoakLog log, params Func<CancellationToken, Task>[] parts)
    {
        using var end = new CancellationTokenSource(length, TimeProvider.System);
        await Task.WhenAll(parts.Select(PartAsync));

        async Task PartAsync(Func<CancellationToken, Task> part)
        {
            try
            {
                await part(end.Token);
            }
            catch (Exception exception)
            {
                log.Write($"The soak ends early: {exception}");
                await end.CancelAsync();
                throw;
            }
        }
    }
}
