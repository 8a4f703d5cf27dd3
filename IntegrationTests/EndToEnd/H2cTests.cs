using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class H2cTests(LabHost lab)
{
    [Fact]
    public async Task Release_that_speaks_http_2_replaces_one_of_http_1_and_is_replaced_without_a_failed_request()
    {
        await using var shop = Shop.InDirectory(lab, "h2c");
        shop.Start();
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");
        await using var load = MixedLoad.Start(shop.Installation.Public, TimeSpan.FromSeconds(30));

        var second = await DeployAsync(shop, load, "v2", isH2c: true);
        var protocol = (await shop.Client.GetStringAsync("request")).Split('\n')[0];
        var third = await DeployAsync(shop, load, "v3", isH2c: true);
        var fourth = await DeployAsync(shop, load, "v4", isH2c: false);
        await load.StopAsync();

        Assert.Equal("GET /request HTTP/2", protocol);
        Assert.Equal([DeploymentEnd.Succeeded, DeploymentEnd.Succeeded, DeploymentEnd.Succeeded], [second, third, fourth]);
        Assert.Equal("", load.Record.Failures);
    }

    [Fact]
    public async Task Release_that_does_not_speak_the_protocol_that_it_is_said_to_is_rejected()
    {
        await using var shop = Shop.InDirectory(lab, "not-h2c");
        shop.Start();
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");

        var wrong = await shop.ConfigurationAsync("v2");
        wrong["Protocol"] = "h2c";
        wrong["HealthCheck"] = new JsonObject { ["Deadline"] = "3s" };

        Assert.Equal(DeploymentEnd.Failed, (await shop.WaitForEndAsync(await shop.DeployAsync(wrong))).End);
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
    }

    private static async Task<DeploymentEnd?> DeployAsync(Shop shop, MixedLoad load, string version, bool isH2c)
    {
        var configuration = await shop.ConfigurationAsync(version, isH2c ? "PROTOCOL=h2c" : "PROTOCOL=");
        configuration["Protocol"] = isH2c ? "h2c" : "http/1.1";
        var end = await shop.WaitForEndAsync(await shop.DeployAsync(configuration));
        await shop.WaitUntilServesAsync(version);
        await load.RoundAsync();
        return end.End;
    }
}
