using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class StateDirectoryTests(LabHost lab)
{
    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public async Task State_file_with_one_damaged_slot_goes_on_with_the_other_one(string slot)
    {
        await using var shop = await ServingShopAsync("slot");
        var before = await shop.ServingContainerAsync();

        await shop.KillControllerAsync();
        shop.DamageSlot(slot);
        shop.Start();

        await AssertTakenOverAsync(shop, before);
    }

    [Fact]
    public async Task State_file_with_both_slots_damaged_is_rebuilt_from_the_containers()
    {
        await using var shop = await ServingShopAsync("slots");
        var before = await shop.ServingContainerAsync();

        await shop.KillControllerAsync();
        shop.DamageSlot("a");
        shop.DamageSlot("b");
        shop.Start();

        await AssertTakenOverAsync(shop, before);
        Assert.Equal(2, Directory.GetFiles(shop.Installation.StateDirectory, "journal.*.damaged-1").Length);
        await shop.DeployAsync(await shop.ConfigurationAsync("v3"));
        await shop.WaitUntilServesAsync("v3");
    }

    [Fact]
    public async Task Full_disk_refuses_what_it_cannot_keep_and_what_runs_goes_on()
    {
        await using var shop = Shop.InDirectory(lab, "full");
        await using var disk = await SmallDisk.MountAsync(shop.Installation.StateDirectory);
        shop.Start();
        await shop.WaitForEndAsync(await shop.DeployAsync(await shop.ConfigurationAsync("v1")));
        var second = await shop.PublishAsync(await shop.ConfigurationAsync("v2"));
        var ballast = disk.Fill();

        var (status, body) = await shop.PostAsync("launch", second);

        Assert.True(status == 507, $"{status}: {body}");
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
        Assert.Single(await shop.ContainersAsync());

        File.Delete(ballast);
        Assert.Equal(200, (await shop.PostAsync("switch", second)).Status);
        Assert.Equal("hello from v2", await shop.Client.GetStringAsync(""));
    }

    [Fact]
    public async Task Full_disk_takes_a_switch_back_whose_configuration_is_kept_already()
    {
        await using var shop = Shop.InDirectory(lab, "back");
        await using var disk = await SmallDisk.MountAsync(shop.Installation.StateDirectory);
        var first = await ServeTwoAsync(shop);
        disk.Fill();

        var (status, body) = await shop.PostAsync("switch", first);

        Assert.True(status == 200, $"{status}: {body}");
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
    }

    [Fact]
    public async Task State_file_that_can_not_be_written_refuses_every_order_and_the_condition_says_so()
    {
        await using var shop = Shop.InDirectory(lab, "readonly");
        var first = await ServeTwoAsync(shop);
        var slots = new[] { "a", "b" }.Select(slot => Path.Combine(shop.Installation.StateDirectory, $"journal.{slot}")).ToList();
        foreach (var slot in slots)
            await SmallDisk.MakeReadOnlyAsync(slot);

        var (status, body) = await shop.PostAsync("switch", first);

        Assert.True(status == 507, $"{status}: {body}");
        Assert.Equal("hello from v2", await shop.Client.GetStringAsync(""));
        Assert.False((await shop.StatusAsync()).Conditions.Single(c => c.Type == "StateDurable").Status);

        foreach (var slot in slots)
            await SmallDisk.MakeWritableAsync(slot);
        Assert.Equal(200, (await shop.PostAsync("switch", first)).Status);
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
        Assert.True((await shop.StatusAsync()).Conditions.Single(c => c.Type == "StateDurable").Status);
    }

    [Fact]
    public async Task Deployment_for_which_the_proxy_has_no_room_waits_and_says_so_and_goes_on_when_there_is_some()
    {
        await using var shop = Shop.InDirectory(lab, "proxyfull");
        await using var disk = await SmallDisk.MountAsync(Path.Combine(shop.Installation.StateDirectory, "proxy"), megabytes: 1);
        shop.Start();
        var first = await shop.DeployAsync(await shop.ConfigurationAsync("v1"));

        var condition = await shop.WaitForConditionAsync("RoutingAccepted", false);

        Assert.Contains("couldn't be written, so nothing changed: ", condition.Message, StringComparison.Ordinal);
        await disk.GrowAsync(8);
        await shop.WaitForEndAsync(first);
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
        await shop.WaitForConditionAsync("RoutingAccepted", true);
    }

    private async Task<Shop> ServingShopAsync(string name)
    {
        var shop = Shop.InDirectory(lab, name);
        await ServeTwoAsync(shop);
        return shop;
    }

    // v2 serves and v1 is retained; the result is the hash of v1.
    private static async Task<string> ServeTwoAsync(Shop shop)
    {
        shop.Start();
        var first = await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitForEndAsync(first);
        await shop.WaitForEndAsync(await shop.DeployAsync(await shop.ConfigurationAsync("v2")));
        await shop.WaitForPhaseAsync(first, ReleasePhase.Retained);
        return first;
    }

    private static async Task AssertTakenOverAsync(Shop shop, (string Id, DateTimeOffset? StartedAt) before)
    {
        await shop.WaitUntilAsync(
            "the Controller has taken over what runs",
            async () => (await shop.StatusAsync()) is { Releases: [{ Phase: ReleasePhase.Active, Revision: "v2" }, { Phase: ReleasePhase.Retained, Revision: "v1" }], Plan.Row: "Settled" });
        var state = (await shop.StatusAsync()).Conditions.Single(c => c.Type == "StateDurable");
        Assert.Equal((true, "Repaired"), (state.Status, state.Reason));
        Assert.Equal("hello from v2", await shop.Client.GetStringAsync(""));
        Assert.Equal(before, await shop.ServingContainerAsync());
    }
}
