using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class QuietTests(LabHost lab)
{
    private static readonly TimeSpan Observed = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastEvents = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Settled_Controller_writes_nothing_logs_nothing_and_asks_the_engine_nothing()
    {
        await using var shop = await Shop.InS3Async(lab, "quiet");
        await using var relay = SocketRelay.Start(Path.Combine(shop.Installation.Root, "e.sock"), lab.DockerSocket);
        shop.Installation.Engine = relay.Address;
        shop.Start();
        var first = await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");
        await shop.DeployAsync(await shop.ConfigurationAsync("v2"));
        await shop.WaitUntilServesAsync("v2");
        await shop.WaitForPhaseAsync(first, ReleasePhase.Retained);
        await Eventually.HoldsAsync("everything is as it should be", async _ => (await shop.StatusAsync()).Plan is { Row: "Settled", Working: [], LookAgainAt: null });

        // The engine tells of one stop in several events, the last of them after the stop has been seen; each is looked into.
        await Eventually.HoldsAsync("the last events were looked into", async _ => await IsUnchangedAsync(shop, relay, LastEvents) is (true, _, _));
        var (isUnchanged, before, after) = await IsUnchangedAsync(shop, relay, Observed);

        Assert.True(isUnchanged, $"Before:\n{before}\nAfter:\n{after}");
    }

    private static async Task<(bool IsUnchanged, string Before, string After)> IsUnchangedAsync(Shop shop, SocketRelay relay, TimeSpan duration)
    {
        var before = Traces(shop, relay);
        await Eventually.PassAsync(duration);
        var after = Traces(shop, relay);
        return (before == after, before, after);
    }

    private static string Traces(Shop shop, SocketRelay relay)
    {
        var files = new DirectoryInfo(shop.Installation.StateDirectory).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .OrderBy(file => file.FullName, StringComparer.Ordinal).Select(file => $"{file.FullName} {file.LastWriteTimeUtc:O}");
        return $"bytes to the engine: {relay.BytesSent}\n{string.Join('\n', files)}\n{shop.Controller.Output}";
    }
}
