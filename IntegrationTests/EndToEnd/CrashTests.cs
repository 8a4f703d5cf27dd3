using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class CrashTests(LabHost lab, ITestOutputHelper output)
{
    private const int Seed = 20151203;

    private static readonly TimeSpan LongestDeployment = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan StreamLimit = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Controller_killed_in_any_phase_of_a_deployment_reaches_the_same_end()
    {
        ReleasePhase[] phases =
            [ReleasePhase.Pulling, ReleasePhase.Creating, ReleasePhase.Starting, ReleasePhase.Verifying, ReleasePhase.Activating, ReleasePhase.Probation, ReleasePhase.Active];
        await using var crash = await CrashingShop.StartAsync(lab, "phase", StreamLimit);

        foreach (var (index, phase) in phases.Index())
        {
            await crash.DeployAndKillAsync($"v{index + 1}", hash => crash.Shop.WaitUntilPhaseIsSeenAsync(hash, phase));
            await crash.AssertServesAsync($"v{index + 1}");
        }

        await crash.AssertNoRequestFailedAsync();
    }

    [Fact]
    public async Task Controller_killed_at_any_instant_of_a_deployment_reaches_the_same_end()
    {
        var random = new Random(Seed);
        output.WriteLine($"The seed of the instants is {Seed}.");
        await using var crash = await CrashingShop.StartAsync(lab, "instant", StreamLimit);

        for (var version = 1; version <= 10; version++)
        {
            var instant = random.NextDouble() * LongestDeployment;
            output.WriteLine($"v{version}: the Controller is killed after {instant.TotalMilliseconds:0} ms.");
            await crash.DeployAndKillAsync($"v{version}", _ => Eventually.PassAsync(instant));
            await crash.AssertServesAsync($"v{version}");
        }

        await crash.AssertNoRequestFailedAsync();
    }

    [Fact]
    public async Task Controller_killed_again_and_again_in_one_deployment_reaches_the_same_end()
    {
        var random = new Random(Seed);
        await using var crash = await CrashingShop.StartAsync(lab, "again", StreamLimit);

        await crash.DeployAndKillAsync("v1", _ => Eventually.PassAsync(random.NextDouble() * LongestDeployment));
        for (var kill = 0; kill < 5; kill++)
        {
            await Eventually.PassAsync(random.NextDouble() * LongestDeployment);
            await crash.Shop.KillControllerAsync();
            crash.Shop.Start();
        }

        await crash.AssertServesAsync("v1");
        await crash.AssertNoRequestFailedAsync();
    }

    [Fact]
    public async Task Switch_that_was_accepted_is_carried_out_though_the_Controller_was_killed_at_once()
    {
        await using var crash = await CrashingShop.StartAsync(lab, "order", StreamLimit);
        var hash = await crash.Shop.PublishAsync(await crash.ConfigurationAsync("v1"));

        var answer = await crash.Shop.PostAsync("switch?wait=false", hash);
        await crash.Shop.KillControllerAsync();
        Assert.Equal(202, answer.Status);
        crash.Shop.Start();

        await crash.AssertServesAsync("v1");
        Assert.Equal(hash, (await crash.Shop.StatusAsync()).Pin?.Hash);
        await crash.AssertNoRequestFailedAsync();
    }

    [Fact]
    public async Task Proxy_that_is_started_again_serves_before_the_Controller_has_spoken()
    {
        await using var shop = await ServingShopAsync("proxy");
        await shop.KillControllerAsync();

        await shop.KillProxyAsync();
        shop.Installation.StartProxy();

        await shop.WaitUntilServesAsync("v1");
        Assert.True(shop.Controller.HasExited);
    }

    [Fact]
    public async Task Proxy_that_was_killed_is_started_by_the_Controller_and_serves_the_same_container()
    {
        await using var shop = await ServingShopAsync("keeper");
        var before = await shop.ServingContainerAsync();
        var killed = await shop.KillProxyAsync();

        await shop.WaitUntilServesAsync("v1");

        Assert.NotEqual(killed, shop.Installation.ProxyId());
        Assert.Equal(before, await shop.ServingContainerAsync());
    }

    [Fact]
    public async Task Engine_that_was_killed_leaves_what_runs_and_the_same_container_serves_once_it_is_back()
    {
        await using var shop = await ServingShopAsync("engine");
        var before = await shop.ServingContainerAsync();
        await lab.StopRegistryAsync();
        try
        {
            await lab.KillDockerdAsync();
            await Eventually.HoldsAsync("the Controller says that the engine is away", async _ => (await shop.StatusAsync()).DockerState != "Ok");
            Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));

            // Without live-restore the engine ends, when it starts, what ran before.
            await lab.StartDockerdAsync();
            await shop.WaitUntilAsync("the container runs anew", async () => (await shop.ContainersAsync()).Any(c => c.Status == ContainerStatus.Running && c.StartedAt > before.StartedAt));
            await shop.WaitUntilServesAsync("v1");

            Assert.Equal(before.Id, (await shop.ServingContainerAsync()).Id);
        }
        finally
        {
            await lab.RestoreAsync();
        }
    }

    [Fact]
    public async Task Engine_with_live_restore_may_be_killed_and_started_again_in_a_deployment_without_a_failed_request()
    {
        await RestartDockerdAsync("--live-restore");
        try
        {
            await using var crash = await CrashingShop.StartAsync(lab, "restore", StreamLimit);
            await crash.Shop.DeployAsync(await crash.ConfigurationAsync("v1"));
            await lab.KillDockerdAsync();
            await lab.StartDockerdAsync("--live-restore");

            await crash.AssertServesAsync("v1");
            await crash.AssertNoRequestFailedAsync();
        }
        finally
        {
            await RestartDockerdAsync();
        }
    }

    private async Task RestartDockerdAsync(params string[] options)
    {
        await lab.StopDockerdAsync();
        await lab.StartDockerdAsync(options);
    }

    private async Task<Shop> ServingShopAsync(string name)
    {
        var shop = Shop.InDirectory(lab, name);
        shop.Start();
        await shop.WaitForEndAsync(await shop.DeployAsync(await shop.ConfigurationAsync("v1")));
        return shop;
    }
}
