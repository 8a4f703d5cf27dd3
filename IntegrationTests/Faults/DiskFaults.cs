using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The disk of the state fails, or what is on it was damaged: what runs serves on, and nothing is begun that can't be written down.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class DiskFaults(FaultedSmallDiskShop shop) : IClassFixture<FaultedSmallDiskShop>
{
    private const string Recovers = "the Controller reconciles within 1 s, and nothing is started or moved";

    private static readonly TimeSpan LongestDeployment = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Named = TimeSpan.FromSeconds(10);

    [Fault("disk of the state full", "orders are refused with 507; a release serves once there is room")]
    public Task Full() => shop.PlayAsync(async play =>
    {
        var release = await shop.PublishAsync(await shop.NextAsync());
        var ballast = shop.Disk.Fill();
        var (status, answer) = await shop.Shop.PostAsync("switch", release.Hash);
        Assert.True(status == 507, $"{status}: {answer}");
        File.Delete(ballast);
        await play.RecoverAsync("the release serves", LongestDeployment, async () =>
        {
            Assert.Equal(200, (await shop.Shop.PostAsync("switch", release.Hash)).Status);
            await shop.BecomesActiveAsync(release);
        });
    });

    [Fault("disk of the state full while current.json changes", "the release serves once there is room")]
    public Task Full_while_deploying() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        var ballast = shop.Disk.Fill();
        var release = await shop.DeployAsync(configuration);
        play.See(await shop.SaysAsync("space", Named));
        File.Delete(ballast);
        await play.RecoverAsync("the release serves", LongestDeployment, () => shop.BecomesActiveAsync(release));
    });

    [Fault("state file read-only", "orders are refused with 507; a release serves once it can be written")]
    public Task Read_only() => shop.PlayAsync(async play =>
    {
        var release = await shop.PublishAsync(await shop.NextAsync());
        foreach (var slot in (string[])["a", "b"])
            await SmallDisk.MakeReadOnlyAsync(Slot(slot));
        var (status, answer) = await shop.Shop.PostAsync("switch", release.Hash);
        foreach (var slot in (string[])["a", "b"])
            await SmallDisk.MakeWritableAsync(Slot(slot));
        Assert.True(status == 507, $"{status}: {answer}");
        await play.RecoverAsync("the release serves", LongestDeployment, async () =>
        {
            Assert.Equal(200, (await shop.Shop.PostAsync("switch", release.Hash)).Status);
            await shop.BecomesActiveAsync(release);
        });
    });

    [Fault("Controller killed while the disk of the state is full", Recovers)]
    public Task Full_while_the_Controller_starts() => shop.PlayAsync(async play =>
    {
        var ballast = shop.Disk.Fill();
        await RestartAsync(play, () => { });
        File.Delete(ballast);
    });

    [Fault("slot a of the state torn", Recovers)]
    public Task Slot_a_is_torn() => DamageAsync(() => Tear("a"));

    [Fault("slot b of the state torn", Recovers)]
    public Task Slot_b_is_torn() => DamageAsync(() => Tear("b"));

    [Fault("slots of the state swapped", Recovers)]
    public Task Slots_are_swapped() => DamageAsync(() =>
    {
        File.Move(Slot("a"), Slot("c"));
        File.Move(Slot("b"), Slot("a"));
        File.Move(Slot("c"), Slot("b"));
    });

    [Fault("slot a of the state empty", Recovers)]
    public Task Slot_a_is_empty() => DamageAsync(() => File.Create(Slot("a")).Dispose());

    [Fault("both slots of the state torn", Recovers)]
    public Task Both_slots_are_torn() => DamageAsync(() =>
    {
        Tear("a");
        Tear("b");
    });

    [Fault("both slots of the state gone", Recovers)]
    public Task Both_slots_are_gone() => DamageAsync(() =>
    {
        File.Delete(Slot("a"));
        File.Delete(Slot("b"));
    });

    private Task DamageAsync(Action damage) => shop.PlayAsync(async play =>
    {
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
        await shop.SettleAsync();
        await RestartAsync(play, damage);
    });

    private async Task RestartAsync(Play play, Action meanwhile)
    {
        var before = await shop.Shop.ServingContainerAsync();
        await shop.Shop.KillControllerAsync();
        meanwhile();
        await play.RecoverAsync("it reconciles", FaultedShop.LongestBlindness, async () =>
        {
            shop.StartController();
            await shop.ReconcilesAsync();
        });
        await shop.SettleAsync();
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    }

    private string Slot(string name) => Path.Combine(shop.Shop.Installation.StateDirectory, $"journal.{name}");

    private void Tear(string name) => shop.Shop.DamageSlot(name);
}
