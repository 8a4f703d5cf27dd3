using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>Orders that contradict, repeat or come too late: each ends in a named state, the latest wins, and what it replaced leaves nothing behind.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class OrderFaults(FaultedShop shop) : IClassFixture<FaultedShop>
{
    private const string Superseded = "the later release serves, the earlier one ends as superseded, and its container and image are gone";
    private const int Repetitions = 20;

    private static readonly string UnknownHash = new('0', 64);

    [Fault("superseded in Accepted", Superseded)]
    public Task Superseded_in_Accepted() => SupersedeInAsync(ReleasePhase.Accepted);

    [Fault("superseded in Pulling", Superseded)]
    public Task Superseded_in_Pulling() => SupersedeInAsync(ReleasePhase.Pulling);

    [Fault("superseded in Creating", Superseded)]
    public Task Superseded_in_Creating() => SupersedeInAsync(ReleasePhase.Creating);

    [Fault("superseded in Starting", Superseded)]
    public Task Superseded_in_Starting() => SupersedeInAsync(ReleasePhase.Starting);

    [Fault("superseded in Verifying", Superseded)]
    public Task Superseded_in_Verifying() => SupersedeInAsync(ReleasePhase.Verifying);

    [Fault("superseded in Activating", "the later release serves; the earlier one ends in a named state")]
    public Task Superseded_in_Activating() => shop.PlayAsync(play => shop.PlayWithControlRelayAsync(async control =>
    {
        // Otherwise the phase is over within milliseconds.
        var (earlier, later) = (await shop.NextAsync("HEALTHY_AFTER_MS=600"), await shop.NextAsync());
        var first = await shop.DeployAsync(earlier);
        await shop.Shop.WaitUntilPhaseIsSeenAsync(first.Hash, ReleasePhase.Verifying);
        control.Delay = TimeSpan.FromMilliseconds(500);
        await shop.Shop.WaitUntilPhaseIsSeenAsync(first.Hash, ReleasePhase.Activating);
        var second = await shop.DeployAsync(later);
        control.Delay = TimeSpan.Zero;
        await play.RecoverAsync("the later one serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(second));
        play.See($"{(await shop.EndOfAsync(first)).End}");
        shop.Serve(first);
        shop.Serve(second);
    }));

    [Fault("superseded in Probation", "the later release serves; the earlier one had succeeded")]
    public Task Superseded_in_Probation() => shop.PlayAsync(async play =>
    {
        var (earlier, later) = (await shop.NextAsync(), await shop.NextAsync());
        var first = await shop.DeployAsync(earlier);
        await shop.Shop.WaitUntilPhaseIsSeenAsync(first.Hash, ReleasePhase.Probation);
        await shop.BecomesActiveAsync(first);
        var second = await shop.DeployAsync(later);
        await play.RecoverAsync("the later one serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(second));
    });

    [Fault("the same launch 20 times at once", "each is answered alike; one container is made")]
    public Task Launch_is_repeated() => shop.PlayAsync(async play =>
    {
        var release = await shop.PublishAsync(await shop.NextAsync());
        var answers = await Task.WhenAll(Enumerable.Range(0, Repetitions).Select(_ => shop.Shop.PostAsync("launch", release.Hash)));
        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
        Assert.Single(await shop.Shop.ContainersOfAsync(release.Hash));
        Assert.Equal(200, (await shop.Shop.PostAsync("switch", release.Hash)).Status);
        await shop.BecomesActiveAsync(release);
    });

    [Fault("the same switch 20 times at once", "each is answered alike; one container is made")]
    public Task Switch_is_repeated() => shop.PlayAsync(async play =>
    {
        var release = await shop.PublishAsync(await shop.NextAsync());
        var answers = await Task.WhenAll(Enumerable.Range(0, Repetitions).Select(_ => shop.Shop.PostAsync("switch", release.Hash)));
        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
        Assert.Single(await shop.Shop.ContainersOfAsync(release.Hash));
        await shop.BecomesActiveAsync(release);
    });

    [Fault("switch to the release that serves", "answered at once; nothing changes")]
    public Task Switch_to_the_active_release() => shop.PlayAsync(async play =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        await play.RecoverAsync("it is answered", TimeSpan.FromSeconds(1), async () => Assert.Equal(200, (await shop.Shop.PostAsync("switch", shop.Good.Hash)).Status));
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    });

    [Fault("launch of A, launch of B, switch to A", "A serves")]
    public Task Launches_then_a_switch() => shop.PlayAsync(async play =>
    {
        var first = await shop.PublishAsync(await shop.NextAsync());
        var second = await shop.PublishAsync(await shop.NextAsync());
        Assert.Equal(200, (await shop.Shop.PostAsync("launch", first.Hash)).Status);
        Assert.Equal(200, (await shop.Shop.PostAsync("launch", second.Hash)).Status);
        Assert.Equal(200, (await shop.Shop.PostAsync("switch", first.Hash)).Status);
        await shop.BecomesActiveAsync(first);
    });

    [Fault("four launches at once", "each ends in a named state; never more than four containers")]
    public Task Launches_conflict() => shop.PlayAsync(async play =>
    {
        var releases = new List<Release>();
        for (var number = 0; number < 4; number++)
            releases.Add(await shop.PublishAsync(await shop.NextAsync()));
        await Task.WhenAll(releases.Select(release => shop.Shop.PostAsync("launch?wait=false", release.Hash)));
        foreach (var release in releases)
        {
            play.See($"{(await shop.EndOfAsync(release)).End}");
            Assert.InRange((await shop.Shop.ContainersAsync()).Count, 1, 4);
        }

        Assert.Equal(200, (await shop.Shop.PostAsync("switch", releases[0].Hash)).Status);
        await shop.BecomesActiveAsync(releases[0]);
    });

    [Fault("two switches at once", "one of them serves, the other one ends in a named state")]
    public Task Switches_conflict() => shop.PlayAsync(async play =>
    {
        var first = await shop.PublishAsync(await shop.NextAsync());
        var second = await shop.PublishAsync(await shop.NextAsync());
        await Task.WhenAll(shop.Shop.PostAsync("switch?wait=false", first.Hash), shop.Shop.PostAsync("switch?wait=false", second.Hash));
        var ends = new[] { await shop.EndOfAsync(first), await shop.EndOfAsync(second) };
        var winner = (await shop.StatusAsync()).Pin!.Hash;
        await shop.BecomesActiveAsync(winner == first.Hash ? first : second);
        play.See(string.Join(", ", ends.Select(e => e.End)));
    });

    [Fault("current.json changed while a switch is under way", "the latest decision serves")]
    public Task Current_changes_in_a_switch() => shop.PlayAsync(async play =>
    {
        var (ordered, declared) = (await shop.PublishAsync(await shop.NextAsync("HEALTHY_AFTER_MS=1000")), await shop.NextAsync());
        await shop.Shop.PostAsync("switch?wait=false", ordered.Hash);
        await shop.Shop.WaitUntilPhaseIsSeenAsync(ordered.Hash, ReleasePhase.Starting);
        var release = await shop.DeployAsync(declared);
        await play.RecoverAsync("the latest serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
        Assert.Equal(DeploymentEnd.Superseded, (await shop.EndOfAsync(ordered)).End);
    });

    [Fault("switch accepted and the Controller killed at once", "the switch is carried out")]
    public Task Accepted_switch_survives() => shop.PlayAsync(async play =>
    {
        var release = await shop.PublishAsync(await shop.NextAsync());
        Assert.Equal(202, (await shop.Shop.PostAsync("switch?wait=false", release.Hash)).Status);
        await shop.CrashControllerAsync();
        await play.RecoverAsync("the release serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(release));
    });

    [Fault("rollback to a configuration that is gone from the store", "what this host ran is on its disk: it serves")]
    public Task Configuration_is_gone() => shop.PlayAsync(async play =>
    {
        var former = shop.Good;
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
        await shop.SettleAsync();
        File.Delete(Path.Combine(shop.Shop.Bucket, "app", $"container.{former.Hash}.json"));
        shop.Load.Record.Withdraw(shop.Good.Version);
        await play.RecoverAsync("the former release serves", FaultedShop.LongestDeployment, async () =>
        {
            Assert.Equal(200, (await shop.Shop.PostAsync("switch", former.Hash)).Status);
            await shop.BecomesActiveAsync(former);
        });
    });

    [Fault("rollback to a configuration that nobody published", "refused with 404 before anything changes")]
    public Task Configuration_is_unknown() => shop.PlayAsync(async _ =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        Assert.Equal(404, (await shop.Shop.PostAsync("switch", UnknownHash)).Status);
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    });

    [Fault("rollback to an image that is gone from host and registry", "refused as ImageMissing; the active release serves on")]
    public Task Image_is_gone() => shop.PlayAsync(async _ =>
    {
        await using var registry = await HttpRelay.StartAsync(new Uri($"http://{shop.Lab.Registry}"));
        var configuration = await shop.NextFromAsync(registry);
        var former = await shop.DeployAsync(configuration);
        await shop.BecomesActiveAsync(former);
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
        await shop.SettleAsync();
        foreach (var container in await shop.Shop.ContainersOfAsync(former.Hash))
            await shop.Engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        Assert.True(await shop.Engine.RemoveImageAsync((string)configuration["ContainerConfig"]!["Image"]!, CancellationToken.None));
        registry.Fault = HttpRelay.Answer("/manifests/", 404, """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}""");

        Assert.Equal(202, (await shop.Shop.PostAsync("switch?wait=false", former.Hash)).Status);
        await shop.RefusedAsync(former, FailureClass.ImageMissing);
    });

    private Task SupersedeInAsync(ReleasePhase phase) => shop.PlayAsync(async play =>
    {
        var (earlier, later) = (await shop.NextAsync("HEALTHY_AFTER_MS=2000"), await shop.NextAsync());
        var first = await shop.DeployAsync(earlier);
        await shop.Shop.WaitUntilPhaseIsSeenAsync(first.Hash, phase);
        var second = await shop.DeployAsync(later);
        await play.RecoverAsync("the later one serves", FaultedShop.LongestDeployment, () => shop.BecomesActiveAsync(second));
        Assert.Equal(DeploymentEnd.Superseded, (await shop.EndOfAsync(first)).End);
    });
}
