using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class DeploymentTests(LabHost lab)
{
    [Fact]
    public async Task Current_json_in_a_directory_is_deployed_and_replaced()
    {
        await using var shop = Shop.InDirectory(lab, "directory");
        await DeployTwiceAsync(shop);
    }

    [Fact]
    public async Task Current_json_in_S3_is_deployed_and_replaced()
    {
        await using var shop = await Shop.InS3Async(lab, "bucket");
        await DeployTwiceAsync(shop);
    }

    [Fact]
    public async Task Launched_release_stands_by_until_the_switch_and_the_next_current_json_lifts_the_pin()
    {
        await using var shop = Shop.InDirectory(lab, "imperative");
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        shop.Start();
        await shop.WaitUntilServesAsync("v1");
        var second = await shop.PublishAsync(await shop.ConfigurationAsync("v2"));

        var launched = await shop.PostAsync("launch", second);
        Assert.Equal(200, launched.Status);
        Assert.Matches($"^started container [0-9a-f]{{8}} with revision {second[..8]} listening on port 9292", launched.Body);
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
        var switched = await shop.PostAsync("switch", second);
        Assert.Equal(200, switched.Status);
        Assert.Matches("^switched proxy to port 9292 of container [0-9a-f]{8}", switched.Body);
        Assert.Equal("hello from v2", await shop.Client.GetStringAsync(""));
        Assert.Equal(second, (await shop.StatusAsync()).Pin?.Hash);

        await shop.DeployAsync(await shop.ConfigurationAsync("v3"));

        await shop.WaitUntilServesAsync("v3");
        Assert.Null((await shop.StatusAsync()).Pin);
    }

    [Fact]
    public async Task Maintenance_shows_the_page_that_the_application_offered_and_ends_again()
    {
        await using var shop = Shop.InDirectory(lab, "maintenance");
        var configuration = await shop.ConfigurationAsync("v1");
        configuration["MaintenancePath"] = "maintenance.html";
        await shop.DeployAsync(configuration);
        shop.Start();
        await shop.WaitUntilServesAsync("v1");
        var page = await shop.Client.GetStringAsync("maintenance.html");
        var kept = Path.Combine(shop.Installation.StateDirectory, "maintenance.html");
        await Eventually.HoldsAsync("the page was fetched at the switch", () => File.Exists(kept) && File.ReadAllText(kept) == page);

        Assert.Equal(200, (await shop.PostAsync("maintenance/up", "")).Status);
        using var down = await Eventually.FindAsync("the page is shown", async token =>
        {
            var response = await shop.Client.GetAsync("anything", token);
            return response.StatusCode == System.Net.HttpStatusCode.ServiceUnavailable ? response : null;
        });
        Assert.Equal(page, await down.Content.ReadAsStringAsync());
        Assert.Equal(200, (await shop.PostAsync("maintenance/down", "")).Status);

        await shop.WaitUntilServesAsync("v1");
    }

    [Fact]
    public async Task Error_page_that_the_application_offers_is_shown_from_the_switch_on()
    {
        await using var shop = Shop.InDirectory(lab, "errors");
        var configuration = await shop.ConfigurationAsync("v1");
        configuration["ErrorPages"] = new JsonObject { ["Pages"] = new JsonObject { ["405"] = "/maintenance.html" } };
        await shop.DeployAsync(configuration);
        shop.Start();
        await shop.WaitUntilServesAsync("v1");
        var page = await shop.Client.GetStringAsync("maintenance.html");

        using var request = new HttpRequestMessage(HttpMethod.Trace, "") { Headers = { Accept = { new("text/html") } } };
        using var answer = await shop.Client.SendAsync(request);

        Assert.Equal(System.Net.HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal(page, await answer.Content.ReadAsStringAsync());
    }

    private static async Task DeployTwiceAsync(Shop shop)
    {
        shop.Start();
        var first = await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitUntilServesAsync("v1");

        var second = await shop.DeployAsync(await shop.ConfigurationAsync("v2"));
        await shop.WaitUntilServesAsync("v2");

        var end = await shop.WaitForEndAsync(second);
        Assert.Equal(DeploymentEnd.Succeeded, end.End);
        await shop.WaitForPhaseAsync(first, ReleasePhase.Retained);
        await shop.WaitForPhaseAsync(second, ReleasePhase.Active);
    }
}
