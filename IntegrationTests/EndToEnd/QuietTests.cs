using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class QuietTests(LabHost lab)
{
    private static readonly TimeSpan Observed = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Settled_Controller_writes_nothing_logs_nothing_and_asks_the_engine_nothing()
    {
        await using var shop = await Shop.InS3Async(lab, "quiet");
        await using var relay = EngineRelay.Start(Path.Combine(shop.Installation.Root, "e.sock"), lab.DockerSocket);
        shop.Installation.Engine = relay.Address;
        shop.Start();
        var first = await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");
        await shop.DeployAsync(await shop.ConfigurationAsync("v2"));
        await shop.WaitUntilServesAsync("v2");
        await shop.WaitForPhaseAsync(first, ReleasePhase.Retained);
        await Eventually.HoldsAsync("everything is as it should be", async _ => (await shop.StatusAsync()).Plan is { Row: "Settled", Working: [], LookAgainAt: null });

        var before = Traces(shop, relay);
        await Eventually.PassAsync(Observed);

        Assert.Equal(before, Traces(shop, relay));
    }

    private static string Traces(Shop shop, EngineRelay relay)
    {
        var files = new DirectoryInfo(shop.Installation.StateDirectory).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .OrderBy(file => file.FullName, StringComparer.Ordinal).Select(file => $"{file.FullName} {file.LastWriteTimeUtc:O}");
        return $"bytes to the engine: {relay.BytesSent}\n{string.Join('\n', files)}\n{shop.Controller.Output}";
    }
}
