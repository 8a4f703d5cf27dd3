using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The disk of the engine is full.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class EngineDiskFaults(SmallEngineShop shop) : IClassFixture<SmallEngineShop>
{
    private static readonly TimeSpan Named = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(15);

    [Fault("disk of the engine full", "status names it, what runs serves on; the release serves once there is room")]
    public Task Full() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        var ballast = shop.Disk.Fill();
        var release = await shop.DeployAsync(configuration);
        play.See(await shop.SaysAsync("no space left on device", Named));
        File.Delete(ballast);
        await play.RecoverAsync("the release serves", LongestRecovery, () => shop.BecomesActiveAsync(release));
    });
}
