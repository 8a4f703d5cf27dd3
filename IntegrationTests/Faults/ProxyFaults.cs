using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The Proxy crashes, hangs or runs out of something.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class ProxyFaults(FaultedShop shop) : IClassFixture<FaultedShop>
{
    private const string NoProxy = "no Proxy was there";

    private static readonly TimeSpan LongestOutage = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestOutageOfKept = TimeSpan.FromSeconds(3);

    [Fault("Proxy killed, started by the service manager", "it serves again within 1 s, by what it wrote down", Excuse = NoProxy)]
    public Task Killed_and_started() => shop.PlayAsync(async play =>
    {
        await shop.Shop.KillControllerAsync();
        await shop.Shop.KillProxyAsync();
        await play.RecoverAsync("it serves again", LongestOutage, async () =>
        {
            shop.Shop.Installation.StartProxy();
            await shop.Shop.WaitUntilServesAsync(shop.Good.Version);
        });
        shop.StartController();
        await shop.ReconcilesAsync();
    });

    [Fault("Proxy killed, and nobody starts it but the Controller", "it serves again within 3 s; no container is touched", Excuse = NoProxy)]
    public Task Killed_and_kept() => shop.PlayAsync(async play =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        await shop.Shop.KillProxyAsync();
        await play.RecoverAsync("it serves again", LongestOutageOfKept, () => shop.Shop.WaitUntilServesAsync(shop.Good.Version));
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    });

    [Fault("Proxy killed in Verifying", "the deployment reaches its end", Excuse = NoProxy)]
    public Task Killed_in_Verifying() => KillInAsync(ReleasePhase.Verifying);

    [Fault("Proxy killed in Activating", "the deployment reaches its end", Excuse = NoProxy)]
    public Task Killed_in_Activating() => KillInAsync(ReleasePhase.Activating);

    [Fault("Proxy killed in Probation", "the deployment reaches its end", Excuse = NoProxy)]
    public Task Killed_in_Probation() => KillInAsync(ReleasePhase.Probation);

    [Fault("Proxy hung (SIGSTOP) for 2 s in a deployment", "requests wait and are answered; the API answers within 1 s; the deployment goes on")]
    public Task Hung() => shop.PlayAsync(async play =>
    {
        var proxy = shop.Shop.Installation.ProxyId()!;
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Starting);
        await Command.RunAsync("kill", ["-STOP", $"{proxy}"], TimeSpan.FromSeconds(5));
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(2))
            await shop.StatusAsync();
        await Command.RunAsync("kill", ["-CONT", $"{proxy}"], TimeSpan.FromSeconds(5));
        await play.RecoverAsync("the release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
    });

    [Fault("control socket of the Proxy hung", "the Proxy serves on; the API answers within 1 s; the deployment goes on once it is answered")]
    public Task Control_hung() => shop.PlayAsync(play => shop.PlayWithControlRelayAsync(async relay =>
    {
        relay.Hang();
        var release = await shop.DeployAsync(await shop.NextAsync());
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Starting);
        play.See(await shop.SaysAsync("Proxy", TimeSpan.FromSeconds(20)));
        relay.GoOn();
        await play.RecoverAsync("the release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
    }));

    private Task KillInAsync(ReleasePhase phase) => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
        await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, phase);
        await shop.Shop.KillProxyAsync();
        shop.Shop.Installation.StartProxy();
        await play.RecoverAsync("the release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
    });
}
