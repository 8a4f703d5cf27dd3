using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The power of the host is cut: engine, containers, Controller and Proxy end at once, and what served serves again.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class PowerFaults(FaultedS3Shop shop) : IClassFixture<FaultedS3Shop>
{
    private const string NoPower = "the host had no power";

    private static readonly TimeSpan LongestDarkness = TimeSpan.FromSeconds(2);

    [Fault("power cut; S3 and registry stay away", "the same release serves within 2 s of the engine's first answer", Excuse = NoPower)]
    public Task Power_is_cut() => shop.PlayAsync(async play =>
    {
        await shop.Lab.PowerCutAsync();
        await BootAsync(play);
        await shop.Lab.RestoreAsync();
    });

    [Fault("power cut in a deployment; S3 and registry stay away", "the former release serves within 2 s of the engine's first answer; the deployment is finished when all is back", Excuse = NoPower)]
    public Task Power_is_cut_in_a_deployment() => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=3000"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Starting);
        await shop.Lab.PowerCutAsync();
        await BootAsync(play);
        await shop.Lab.RestoreAsync();
        await shop.BecomesActiveAsync(release);
    });

    [Fault("power cut on probation; S3 and registry stay away", "the new release serves within 2 s of the engine's first answer", Excuse = NoPower)]
    public Task Power_is_cut_on_probation() => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync());
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Probation);
        await shop.BecomesActiveAsync(release);
        await shop.Lab.PowerCutAsync();
        await BootAsync(play);
        await shop.Lab.RestoreAsync();
    });

    // The service manager starts all of it at once; the engine is the last to be there.
    private async Task BootAsync(Play play)
    {
        shop.Shop.Installation.StartProxy();
        shop.StartController();
        await shop.Lab.StartDockerdAsync();
        await play.RecoverAsync("it serves again", LongestDarkness, () => shop.Shop.WaitUntilServesAsync(shop.Good.Version));
    }
}
