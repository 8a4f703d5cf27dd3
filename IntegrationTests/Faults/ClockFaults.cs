using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The wall clock is set by hours: no deadline fires early, none is put off, and nothing is started or moved.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class ClockFaults(FaultedClockShop shop) : IClassFixture<FaultedClockShop>
{
    private const string Unaffected = "the deployment ends as on any other day";

    private static readonly TimeSpan LongestDeployment = TimeSpan.FromSeconds(15);

    [Fault("clock set 3 h forwards in a deployment", Unaffected)]
    public Task Forwards_in_a_deployment() => SetInDeploymentAsync(ReleasePhase.Starting, "+3h");

    [Fault("clock set 3 h backwards in a deployment", Unaffected)]
    public Task Backwards_in_a_deployment() => SetInDeploymentAsync(ReleasePhase.Starting, "-3h");

    [Fault("clock set 3 h forwards on probation", Unaffected)]
    public Task Forwards_on_probation() => SetInDeploymentAsync(ReleasePhase.Probation, "+3h");

    [Fault("clock set 3 h backwards on probation", Unaffected)]
    public Task Backwards_on_probation() => SetInDeploymentAsync(ReleasePhase.Probation, "-3h");

    [Fault("clock set a year forwards, and back again, while nothing happens", "nothing happens")]
    public Task Set_while_idle() => shop.PlayAsync(async _ =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        foreach (var offset in (string[])["+365d", "+0"])
        {
            shop.SetClock(offset);
            await Eventually.PassAsync(TimeSpan.FromSeconds(1));
            await shop.SettleAsync();
        }

        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    });

    [Fault("Controller killed, and started by a clock 3 h behind", "it reconciles, and a deployment ends as on any other day")]
    public Task Set_while_the_Controller_is_away() => shop.PlayAsync(async play =>
    {
        await shop.Shop.KillControllerAsync();
        shop.SetClock("-3h");
        shop.StartController();
        await shop.ReconcilesAsync();
        await play.RecoverAsync("the release serves", LongestDeployment, async () => await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync())));
        shop.SetClock("+0");
    });

    private Task SetInDeploymentAsync(ReleasePhase phase, string offset) => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, phase);
        shop.SetClock(offset);
        await play.RecoverAsync("the release serves", LongestDeployment, () => shop.BecomesActiveAsync(release));
        await shop.SettleAsync();
        shop.SetClock("+0");
    });
}
