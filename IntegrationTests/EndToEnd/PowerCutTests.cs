using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class PowerCutTests(LabHost lab)
{
    [Fact]
    public async Task Same_release_serves_after_a_power_cut_while_S3_and_the_registry_are_away()
    {
        await using var shop = await Shop.InS3Async(lab, "powercut");
        shop.Start();
        await shop.WaitForEndAsync(await shop.DeployAsync(await shop.ConfigurationAsync("v1")));
        var second = await shop.DeployAsync(await shop.ConfigurationAsync("v2"));
        await shop.WaitForEndAsync(second);
        var before = await shop.ServingAsync(second);
        try
        {
            await lab.PowerCutAsync();
            await lab.StartDockerdAsync();
            shop.Start();
            await shop.WaitUntilServesAsync("v2");

            var after = await shop.ServingAsync(second);
            Assert.Equal((before.ContainerId, before.Address), (after.ContainerId, after.Address));
            await shop.WaitForConditionAsync("Available", true);
            await shop.WaitForConditionAsync("StoreReachable", false);
        }
        finally
        {
            await lab.RestoreAsync();
        }

        var third = await shop.DeployAsync(await shop.ConfigurationAsync("v3"));
        Assert.Equal(DeploymentEnd.Succeeded, (await shop.WaitForEndAsync(third)).End);
        await shop.WaitUntilServesAsync("v3");
    }

    [Fact]
    public async Task Deployment_that_a_power_cut_interrupted_is_finished_once_everything_is_back()
    {
        await using var shop = Shop.InDirectory(lab, "interrupted");
        shop.Start();
        await shop.WaitForEndAsync(await shop.DeployAsync(await shop.ConfigurationAsync("v1")));
        try
        {
            var second = await shop.DeployAsync(await shop.ConfigurationAsync("v2", "HEALTHY_AFTER_MS=1000"));
            await shop.WaitUntilPhaseIsSeenAsync(second, ReleasePhase.Starting);
            await lab.PowerCutAsync();
            await lab.RestoreAsync();
            shop.Start();

            await shop.WaitUntilServesAsync("v2");
            Assert.Equal(DeploymentEnd.Succeeded, (await shop.WaitForEndAsync(second)).End);
            await shop.WaitForPhaseAsync(second, ReleasePhase.Active);
        }
        finally
        {
            await lab.RestoreAsync();
        }
    }
}
