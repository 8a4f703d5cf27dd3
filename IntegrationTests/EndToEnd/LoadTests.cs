using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class LoadTests(LabHost lab)
{
    private const int Deployments = 20;

    private static readonly TimeSpan StreamLimit = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Twenty_deployments_in_a_row_fail_no_request_of_a_mixed_load()
    {
        await using var shop = Shop.InDirectory(lab, "load");
        var configurations = new List<JsonObject>();
        for (var version = 0; version <= Deployments; version++)
            configurations.Add(await ConfigurationAsync(shop, version));
        shop.Start();
        await shop.DeployAsync(configurations[0]);
        await shop.WaitUntilServesAsync("v0");

        await using var load = MixedLoad.Start(shop.Installation.Public, StreamLimit);
        for (var version = 1; version <= Deployments; version++)
        {
            var end = await shop.WaitForEndAsync(await shop.DeployAsync(configurations[version]));
            Assert.Equal(DeploymentEnd.Succeeded, end.End);
            load.Record.Saw("the Controller", $"v{version}", newestBefore: version - 1);
        }

        await load.StopAsync();

        Assert.Equal("", load.Record.Failures);
        Assert.Equal(Enumerable.Range(0, Deployments + 1), load.Record.VersionsSeen);
        Assert.Equal(load.KeptConnections, load.Connections);
        Assert.All(
            ["page", "body", "slow", "long", "long answers that ended on a replaced release", "WebSocket opened", "WebSocket told to close", "events opened", "events cut"],
            kind => Assert.True(load.Record.Answers.ContainsKey(kind), $"{kind} is not among {string.Join(", ", load.Record.Answers)}"));
    }

    private static async Task<JsonObject> ConfigurationAsync(Shop shop, int version)
    {
        var configuration = await shop.ConfigurationAsync($"v{version}");
        configuration["Probation"] = new JsonObject { ["Duration"] = "0s" };
        configuration["Drain"] = new JsonObject { ["Timeout"] = "10s", ["StreamTimeout"] = $"{StreamLimit.TotalSeconds}s" };
        return configuration;
    }
}
