using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The Controller crashes, hangs or is started twice: the Proxy serves on, and the Controller goes on where it was.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class ControllerFaults(FaultedShop shop) : IClassFixture<FaultedShop>
{
    private const string Resumes = "reconciling again within 1 s; the deployment reaches the same end";
    private const int Kills = 100;
    private const int Seed = 20151203;
    private const int AnotherController = 82;

    private static readonly TimeSpan LongestLife = TimeSpan.FromMilliseconds(900);

    [Fault("Controller killed in Pulling", Resumes)]
    public Task Killed_in_Pulling() => KillInAsync(ReleasePhase.Pulling);

    [Fault("Controller killed in Creating", Resumes)]
    public Task Killed_in_Creating() => KillInAsync(ReleasePhase.Creating);

    [Fault("Controller killed in Starting", Resumes)]
    public Task Killed_in_Starting() => KillInAsync(ReleasePhase.Starting);

    [Fault("Controller killed in Verifying", Resumes)]
    public Task Killed_in_Verifying() => KillInAsync(ReleasePhase.Verifying);

    [Fault("Controller killed in Activating", Resumes)]
    public Task Killed_in_Activating() => KillInAsync(ReleasePhase.Activating);

    [Fault("Controller killed in Probation", Resumes)]
    public Task Killed_in_Probation() => KillInAsync(ReleasePhase.Probation);

    [Fault("Controller killed while the replaced release is stopped", Resumes)]
    public Task Killed_in_Stopping() => shop.PlayAsync(async play =>
    {
        var replaced = shop.Good;
        var release = await shop.DeployAsync(await shop.NextAsync());
        await Eventually.HoldsAsync(
            "the replaced release stops",
            async _ => (await shop.StatusAsync()).Releases.Any(r => r.Hash == replaced.Hash && r.Phase is ReleasePhase.Stopping or ReleasePhase.Retained));
        await CrashAsync(play);
        await shop.BecomesActiveAsync(release);
    });

    [Fault("Controller killed 100 times at random", "every deployment meanwhile reaches its end")]
    public Task Killed_again_and_again() => shop.PlayAsync(async play =>
    {
        var random = new Random(Seed);
        var deployments = 0;
        Release? deploying = null;
        for (var kill = 0; kill < Kills; kill++)
        {
            if (kill % 10 == 0)
            {
                if (deploying is not null)
                    await shop.BecomesActiveAsync(deploying);
                deploying = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
                deployments++;
            }

            await Eventually.PassAsync(random.NextDouble() * LongestLife);
            await shop.CrashControllerAsync();
        }

        await play.RecoverAsync("it reconciles", FaultedShop.LongestBlindness, shop.ReconcilesAsync);
        await shop.BecomesActiveAsync(deploying!);
        play.See($"{deployments} deployments succeeded");
    });

    [Fault("Controller hangs in a deployment", "the Proxy serves on; the deployment goes on once the Controller does")]
    public Task Hangs() => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Starting);
        shop.Shop.Controller.Pause();
        await Eventually.PassAsync(TimeSpan.FromSeconds(2));
        shop.Shop.Controller.Resume();
        await play.RecoverAsync("the release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
    });

    [Fault("Controller stopped by SIGTERM in a deployment", Resumes)]
    public Task Stopped() => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Starting);
        shop.Shop.Controller.Terminate();
        Assert.Equal(0, await shop.Shop.Controller.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        shop.StartController();
        await play.RecoverAsync("it reconciles", FaultedShop.LongestBlindness, shop.ReconcilesAsync);
        await shop.BecomesActiveAsync(release);
    });

    [Fault("file descriptors of the Controller exhausted", "it ends rather than go on blind; the service manager starts it, and it reconciles again within 1 s")]
    public Task Descriptors_are_exhausted() => shop.PlayAsync(async play =>
    {
        var id = shop.Shop.Controller.Id;
        var open = Directory.GetFileSystemEntries($"/proc/{id}/fd").Length;
        await Command.RunAsync("prlimit", ["--pid", $"{id}", $"--nofile={open}:{open}"], TimeSpan.FromSeconds(5));
        var release = await shop.DeployAsync(await shop.NextAsync());
        await Eventually.HoldsAsync("the Controller has ended, or the release serves", async _ => shop.Shop.Controller.HasExited || await ServesAsync(release), TimeSpan.FromSeconds(20));
        play.See(shop.Shop.Controller.HasExited ? "it ended" : "it went on");
        await CrashAsync(play);
        await shop.BecomesActiveAsync(release);
    });

    [Fault("second Controller for the application", "it refuses to start and says so; the first goes on")]
    public Task Second_Controller() => shop.PlayAsync(async play =>
    {
        var second = shop.Shop.Installation.StartController(shop.Shop.Bucket, "app");
        await play.RecoverAsync("it has ended", TimeSpan.FromSeconds(2), async () => Assert.Equal(AnotherController, await second.WaitForExitAsync(TimeSpan.FromSeconds(10))));
        play.See($"'{second.Output.Trim().Split('\n')[^1]}'");
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
    });

    private Task KillInAsync(ReleasePhase phase) => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, phase);
        await CrashAsync(play);
        await shop.BecomesActiveAsync(release);
    });

    private Task CrashAsync(Play play) => play.RecoverAsync("it reconciles", FaultedShop.LongestBlindness, async () =>
    {
        await shop.CrashControllerAsync();
        await shop.ReconcilesAsync();
    });

    private async Task<bool> ServesAsync(Release release) => await shop.Shop.Client.GetStringAsync("") == $"hello from {release.Version}";
}
