using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The wall clock of Controller and Proxy is set by hours: no wait ends early or late, nothing is refused, started or moved for it.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class ClockFaults(FaultedClockShop shop) : IClassFixture<FaultedClockShop>
{
    private const string Unimpressed = "nothing is started or moved; the next deployment succeeds as on any other day";

    private static readonly TimeSpan Hours = TimeSpan.FromHours(5);
    private static readonly TimeSpan LongEnoughToAct = TimeSpan.FromSeconds(3);

    [Fault("wall clock set 5 hours ahead", Unimpressed)]
    public Task Ahead() => SetAsync(Hours);

    [Fault("wall clock set 5 hours back", Unimpressed)]
    public Task Back() => SetAsync(-Hours);

    [Fault("wall clock set 5 hours ahead in Verifying", "the release isn't refused for a deadline that seems over; it serves")]
    public Task Ahead_in_Verifying() => SetInAsync(ReleasePhase.Verifying, Hours);

    [Fault("wall clock set 5 hours back in Verifying", "the release doesn't wait for hours; it serves")]
    public Task Back_in_Verifying() => SetInAsync(ReleasePhase.Verifying, -Hours);

    [Fault("wall clock set 5 hours back in Probation", "the probation ends, and the replaced release stops, as on any other day")]
    public Task Back_in_Probation() => SetInAsync(ReleasePhase.Probation, -Hours);

    [Fault("wall clock 5 hours ahead while the Controller is down", "it reconciles within 1 s, and nothing is started or moved")]
    public Task Ahead_while_down() => SetWhileDownAsync(Hours);

    [Fault("wall clock 5 hours back while the Controller is down", "it reconciles within 1 s, and nothing is started or moved")]
    public Task Back_while_down() => SetWhileDownAsync(-Hours);

    private Task SetAsync(TimeSpan offset) => PlayAsync(async play =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        shop.Clock.Set(offset);
        await Eventually.PassAsync(LongEnoughToAct);
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
        Assert.InRange((await shop.StatusAsync()).At - TimeProvider.System.GetUtcNow(), offset - LongEnoughToAct, offset + LongEnoughToAct);
        await DeployAsync(play);
    });

    private Task SetInAsync(ReleasePhase phase, TimeSpan offset) => PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=600"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, phase);
        shop.Clock.Set(offset);
        await play.RecoverAsync("the release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
        await play.RecoverAsync("the replaced one is stopped", FaultedShop.LongestDeployment, shop.SettleAsync);
    });

    private Task SetWhileDownAsync(TimeSpan offset) => PlayAsync(async play =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        await shop.Shop.KillControllerAsync();
        shop.Clock.Set(offset);
        await play.RecoverAsync("it reconciles", FaultedShop.LongestBlindness, async () =>
        {
            shop.StartController();
            await shop.ReconcilesAsync();
        });
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
        await DeployAsync(play);
    });

    private async Task DeployAsync(Play play)
    {
        var release = await shop.DeployAsync(await shop.NextAsync());
        await play.RecoverAsync("the next release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
    }

    // The clock is set right again, as a time server does it, before it is asked whether everything is settled.
    private Task PlayAsync(Func<Play, Task> act) => shop.PlayAsync(async play =>
    {
        try
        {
            await act(play);
        }
        finally
        {
            shop.Clock.Set(TimeSpan.Zero);
        }
    });
}
