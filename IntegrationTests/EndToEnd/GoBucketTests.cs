using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>A bucket as the Go tool left it, byte for byte, and calls as its users make them.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class GoBucketTests(LabHost lab)
{
    private const string Current = "91ab77d";
    private const string Former = "2f1c9e0";
    private const string CurrentHash = "11056d7bc921d26fd0c811e501cdcb46";
    private const string FormerHash = "59f56cb46df19d11413f8801dfdf9653";

    private static readonly string[] GoMembers = ["Requests", "TotalTime", "States", "HeapSize", "MaintenanceMode", "DockerState"];

    [Fact]
    public async Task Bucket_of_the_Go_tool_deploys_launches_and_switches_unchanged()
    {
        await using var shop = await Shop.InS3Async(lab, "heirloom");
        await lab.Samples.PushAsync(shop.Application, Current);
        await lab.Samples.PushAsync(shop.Application, Former);
        var former = FormerDocument();
        var formerHash = Md5Of(former);
        var history = Golden("history.json", FormerHash, formerHash);
        await shop.PutAsync("history.json", history);
        await shop.PutAsync($"container.{formerHash}.json", former);
        await shop.PutAsync($"container.{CurrentHash}.json", Golden($"container.{CurrentHash}.json"));
        await shop.PutAsync("current.json", Golden("current.json"));
        var keys = await shop.KeysAsync();

        shop.Start();
        await shop.WaitUntilServesAsync(Current);

        var launched = await shop.PostAsync("launch", formerHash);
        Assert.Equal(200, launched.Status);
        Assert.Matches($"^started container [0-9a-f]{{8}} with revision {formerHash[..8]} listening on port 9292", launched.Body);
        Assert.Equal($"hello from {Current}", await shop.Client.GetStringAsync(""));

        var switched = await shop.PostAsync("switch", formerHash);
        Assert.Equal(200, switched.Status);
        Assert.Matches("^switched proxy to port 9292 of container [0-9a-f]{8}", switched.Body);
        Assert.Equal($"hello from {Former}", await shop.Client.GetStringAsync(""));
        await AssertIsSupervisedAsync(shop, ContentHash.Of(former));

        Assert.Equal(200, (await shop.PostAsync("switch", CurrentHash)).Status);
        Assert.Equal($"hello from {Current}", await shop.Client.GetStringAsync(""));
        await AssertStatusHasGoMembersAsync(shop);
        Assert.Equal(history, await shop.GetAsync("history.json"));
        Assert.Equal(keys, await shop.KeysAsync());
    }

    /// <summary>What the document asks for is so, but for the restart policy: the Controller alone supervises.</summary>
    private static async Task AssertIsSupervisedAsync(Shop shop, string hash)
    {
        var container = Assert.Single(await shop.ContainersOfAsync(hash));
        Assert.Equal("no", container.RestartPolicy);
        Assert.Equal("Zoë <zoe@example.org>", container.Labels["owner"]);
        Assert.Equal(ReleasePhase.Probation, (await shop.StatusAsync()).Releases.Single(r => r.Hash == hash).Phase);
    }

    private static async Task AssertStatusHasGoMembersAsync(Shop shop)
    {
        var status = JsonNode.Parse(await shop.Api.GetStringAsync("status"))!.AsObject();
        Assert.Empty(GoMembers.Except(status.Select(member => member.Key)));
        Assert.InRange(status["Requests"]!.GetValue<long>(), 3, long.MaxValue);
        Assert.InRange(status["TotalTime"]!.GetValue<double>(), 0.001, double.MaxValue);
        Assert.NotEmpty(status["States"]!.AsObject());
        Assert.Equal(("Ok", false), (status["DockerState"]!.GetValue<string>(), status["MaintenanceMode"]!.GetValue<bool>()));
    }

    /// <summary>The former release's document, with a folder of the lab instead of the shop's.</summary>
    private byte[] FormerDocument() => Golden($"container.{FormerHash}.json", "/data/shop:", lab.NewDirectory("data") + ":");

    private static byte[] Golden(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Contracts", "Golden", name + ".golden"));

    private static byte[] Golden(string name, string text, string replacement) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Golden(name)).Replace(text, replacement, StringComparison.Ordinal));

#pragma warning disable CA5351 // The Go tool named its documents by MD5; nothing relies on it for security.
    private static string Md5Of(byte[] bytes) => Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351
}
