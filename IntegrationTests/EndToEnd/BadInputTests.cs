using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Whatever is handed in, it is said what is wrong with it, where, and what to do; and what runs goes on.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class BadInputTests(LabHost lab, ServingShop serving) : IClassFixture<ServingShop>
{
    private const int PortTaken = 80;
    private const int ProxyNotStarted = 81;
    private const int AnotherController = 82;

    private static readonly string UnknownHash = new('0', 64);
    private static readonly TimeSpan ExitDeadline = TimeSpan.FromSeconds(30);

    private readonly Shop _shop = serving.Shop;

    /// <summary>Nothing of these may become part of a key or a path.</summary>
    public static TheoryData<string> BadIdentifiers =>
    [
        "",
        "../../x",
        "../../current",
        $"{new string('a', 61)}/..",
        new string('a', 3),
        new string('a', 65),
        new string('A', 64),
        new string('g', 64),
        $"{new string('a', 64)}\n\n",
        $"{new string('a', 64)}\n../../x",
        $"\n{new string('a', 64)}",
        $" {new string('a', 64)}",
        $"{new string('a', 63)}\0",
        $"{new string('a', 63)}\u0661",
        """{"Hash":"../../x"}""",
    ];

    [Theory]
    [MemberData(nameof(BadIdentifiers))]
    public async Task Identifier_that_is_no_hash_is_refused_before_anything_looks_for_it(string identifier)
    {
        // Whoever asks a store that isn't there is answered 503.
        await using var hidden = new HiddenStore(_shop.Bucket);
        Assert.Equal(503, (await _shop.PostAsync("launch", UnknownHash)).Status);

        foreach (var call in (string[])["launch", "switch"])
        {
            var problem = await RefusedAsync(call, identifier, 400);
            Assert.Contains("nothing was changed", problem.Detail, StringComparison.Ordinal);
            Assert.Contains("64 (SHA-256) or 32 (MD5) lower-case hex digits", problem.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Hash_that_nobody_published_is_unknown()
    {
        foreach (var call in (string[])["launch", "switch"])
        {
            var problem = await RefusedAsync(call, UnknownHash, 404);
            Assert.Equal("unknown-hash", problem.Type);
            Assert.Contains($"No configuration {UnknownHash} is published", problem.Detail, StringComparison.Ordinal);
            Assert.Contains($"app/container.{UnknownHash}.json", problem.Detail, StringComparison.Ordinal);
        }

        await AssertServesOnAsync();
    }

    [Fact]
    public async Task Document_that_was_tampered_with_is_refused()
    {
        var bytes = Encoding.UTF8.GetBytes((await _shop.ConfigurationAsync("genuine")).ToJsonString());
        var hash = ContentHash.Of(bytes);
        var forged = Encoding.UTF8.GetBytes((await _shop.ConfigurationAsync("forged")).ToJsonString());
        await _shop.PutAsync($"container.{hash}.json", forged);

        foreach (var call in (string[])["launch", "switch"])
        {
            var problem = await RefusedAsync(call, hash, 422);
            Assert.Contains($"app/container.{hash}.json is not what its name says", problem.Detail, StringComparison.Ordinal);
            Assert.Contains(ContentHash.Of(forged), problem.Detail, StringComparison.Ordinal);
        }

        await AssertServesOnAsync();
    }

    [Theory]
    [InlineData("""{ "Revision": "v2", """, "line 1")]
    [InlineData("""[]""", "$")]
    [InlineData("""{ "Revision": 2, "ContainerConfig": {} }""", "$.Revision (line 1, column 15)")]
    [InlineData("""{ "Revision": "v2", "ContainerConfig": {}, "Drain": { "Timeout": 30 } }""", "$.Drain.Timeout (line 1, column 66)")]
    [InlineData("""{ "Revision": "v2", "ContainerConfig": {}, "HealthChekPath": "status" }""", "HealthCheckPath")]
    [InlineData("""{ "Revision": "v2", "ContainerConfig": {}, "HostConfig": { "Privileged": true } }""", "$.HostConfig.Privileged")]
    public async Task Current_json_that_is_not_valid_is_told_with_its_place_and_changes_nothing(string document, string place)
    {
        await _shop.PutAsync("current.json", Encoding.UTF8.GetBytes(document));

        var condition = await _shop.WaitForConditionAsync("ConfigurationAccepted", false);

        Assert.StartsWith("app/current.json ", condition.Message, StringComparison.Ordinal);
        Assert.Contains(place, condition.Message, StringComparison.Ordinal);
        Assert.EndsWith("What runs goes on. Correct the document and publish it again.", condition.Message, StringComparison.Ordinal);
        await AssertServesOnAsync();

        await _shop.DeployAsync(await _shop.ConfigurationAsync("v1"));
        await _shop.WaitForConditionAsync("ConfigurationAccepted", true);
    }

    [Fact]
    public async Task Taken_port_of_the_proxy_ends_the_start_and_is_named()
    {
        await using var shop = Shop.InDirectory(lab, "publictaken");
        using var taken = ListenOn(shop.Installation.Public);

        shop.Start();

        Assert.Equal(ProxyNotStarted, await shop.Controller.WaitForExitAsync(ExitDeadline));
        Assert.Contains($"The Proxy, started to listen on {taken.LocalEndpoint} (--proxy), ended with exit code 3", shop.Controller.Output, StringComparison.Ordinal);
        Assert.Contains("Address already in use. Free the address", shop.Controller.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Taken_port_of_the_admin_API_ends_the_start_and_is_named()
    {
        await using var shop = Shop.InDirectory(lab, "admintaken");
        using var taken = ListenOn(shop.Installation.Api);

        shop.Start();

        Assert.Equal(PortTaken, await shop.Controller.WaitForExitAsync(ExitDeadline));
        Assert.Contains($"The admin API can't listen on {taken.LocalEndpoint}: it is taken by another process.", shop.Controller.Output, StringComparison.Ordinal);
        Assert.Contains("--api", shop.Controller.Output, StringComparison.Ordinal);
        Assert.Null(shop.Installation.ProxyId());
    }

    [Fact]
    public async Task Missing_bucket_is_told_and_the_release_is_deployed_once_there_is_one()
    {
        await using var shop = Shop.WithoutBucket(lab, "bucketless");
        shop.Start();

        var condition = await shop.WaitForConditionAsync("StoreReachable", false);
        Assert.Contains($"s3://{shop.Bucket}/app/current.json", condition.Message, StringComparison.Ordinal);
        Assert.Contains("NoSuchBucket", condition.Message, StringComparison.Ordinal);
        Assert.Contains("Create the bucket or correct its name.", condition.Message, StringComparison.Ordinal);

        await S3Bucket.MakeAsync(lab, shop.Bucket);
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));

        await shop.WaitUntilServesAsync("v1");
        await shop.WaitForConditionAsync("StoreReachable", true);
    }

    [Fact]
    public async Task Wrong_credentials_are_told_without_being_shown()
    {
        const string Secret = "not-the-secret-0123456789";
        await using var shop = await Shop.InS3Async(lab, "locked");
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        shop.Installation.Environment["AWS_SECRET_ACCESS_KEY"] = Secret;
        shop.Start();

        var condition = await shop.WaitForConditionAsync("StoreReachable", false);

        Assert.Contains("SignatureDoesNotMatch", condition.Message, StringComparison.Ordinal);
        Assert.Contains("Correct access key and secret key.", condition.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, condition.Message + shop.Controller.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(lab.S3AccessKey, condition.Message + shop.Controller.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_controller_of_the_application_ends_and_names_the_first()
    {
        var second = _shop.Installation.StartController(_shop.Bucket, "app");

        Assert.Equal(AnotherController, await second.WaitForExitAsync(ExitDeadline));

        Assert.Contains($"Another Controller runs for {_shop.Application} (pid {_shop.Controller.Id})", second.Output, StringComparison.Ordinal);
        await AssertServesOnAsync();
    }

    private static TcpListener ListenOn(Uri address)
    {
        var listener = new TcpListener(IPAddress.Loopback, address.Port);
        listener.Start();
        return listener;
    }

    private async Task<ApiProblem> RefusedAsync(string call, string body, int status)
    {
        var answer = await _shop.PostAsync(call, body);
        Assert.Equal(status, answer.Status);
        var problem = JsonSerializer.Deserialize(answer.Body, ContractsJson.Default.ApiProblem)!;
        Assert.Equal(status, problem.Status);
        return problem;
    }

    private async Task AssertServesOnAsync()
    {
        Assert.Equal("hello from v1", await _shop.Client.GetStringAsync(""));
        Assert.Single((await _shop.StatusAsync()).Releases, r => r.Container is not null);
    }

    /// <summary>Takes the store's directory away until it is disposed.</summary>
    private sealed class HiddenStore : IAsyncDisposable
    {
        private readonly string _path;

        public HiddenStore(string path)
        {
            _path = path;
            Directory.Move(path, path + ".hidden");
        }

        public ValueTask DisposeAsync()
        {
            Directory.Move(_path + ".hidden", _path);
            return ValueTask.CompletedTask;
        }
    }
}
