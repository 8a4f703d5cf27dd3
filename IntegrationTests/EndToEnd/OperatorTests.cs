using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>The command line as an operator uses it: the real executable against a real Controller, engine and S3 server.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class OperatorTests(LabHost lab) : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private Shop _shop = null!;

    public async ValueTask InitializeAsync()
    {
        _shop = await Shop.InS3Async(lab, "operator");
        _shop.Start();
        await _shop.WaitForConditionAsync("DockerReachable", true);
        Assert.Equal(0, (await DeployAsync(await _shop.ConfigurationAsync("v1"))).Code);
    }

    public ValueTask DisposeAsync() => _shop.DisposeAsync();

    [Fact]
    public async Task Good_release_is_deployed_and_0_says_that_it_serves()
    {
        var (code, output) = await DeployAsync(await _shop.ConfigurationAsync("v2"));

        Assert.Equal((0, "hello from v2"), (code, await _shop.Client.GetStringAsync("")));
        Assert.Contains("~  Revision               \"v1\" -> \"v2\"", output, StringComparison.Ordinal);
        Assert.Matches(@"Verifying +runs and isn't healthy yet\n", output);
        Assert.Contains("  It serves. v1 (", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_of_a_large_image_are_told_while_it_is_pulled()
    {
        const int size = 96 << 20;
        var configuration = await _shop.ConfigurationAsync("v2");
        var container = configuration["ContainerConfig"]!;
        var large = $"{lab.Registry}/sample-large:v2";
        await LargeImage.PublishAsync(lab, container["Image"]!.GetValue<string>(), large, size);
        container["Image"] = large;

        var (code, output) = await RunAsync("deploy", await WriteAsync(configuration), _shop.Bucket, "app");

        var told = output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!["Progress"])
            .Where(progress => progress?["PulledBytes"] is not null)
            .Select(progress => (Pulled: progress!["PulledBytes"]!.GetValue<long>(), Total: progress["TotalBytes"]!.GetValue<long>())).ToList();
        Assert.Equal((0, "hello from v2"), (code, await _shop.Client.GetStringAsync("")));
        Assert.Contains(told, progress => progress.Total >= size && progress.Pulled > 0);
        Assert.All(told, progress => Assert.InRange(progress.Pulled, 0, progress.Total));
        Assert.Equal(told.Select(progress => progress.Pulled).Order(), told.Select(progress => progress.Pulled));
    }

    [Fact]
    public async Task Broken_release_is_told_with_its_log_and_83_and_the_former_one_serves_on()
    {
        var (code, output) = await DeployAsync(await _shop.ConfigurationAsync("exits", "CRASH_ON_START=1", "EXIT_CODE=41"));

        Assert.Equal((83, "hello from v1"), (code, await _shop.Client.GetStringAsync("")));
        Assert.Contains("Failed: Release exits exited with code 41 before it was healthy. v1 serves on.", output, StringComparison.Ordinal);
        Assert.Contains("| exits crashes on start, as asked", output, StringComparison.Ordinal);
        Assert.DoesNotContain("EXIT_CODE=41", output, StringComparison.Ordinal);

        var (_, status) = await RunAsync("status", "--json=false");
        Assert.Contains("exits crashes on start, as asked", status, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deployment_that_another_one_overtakes_is_told_who_won_and_85()
    {
        var slow = DeployAsync(await _shop.ConfigurationAsync("slow", "HEALTH=503"));
        await _shop.WaitUntilAsync("the slow release verifies", async () => (await _shop.StatusAsync()).Releases.Any(r => r is { Revision: "slow", Phase: ReleasePhase.Verifying }));

        Assert.Equal(0, (await DeployAsync(await _shop.ConfigurationAsync("v2"))).Code);

        var (code, output) = await slow;
        Assert.Equal(85, code);
        Assert.Matches($@"current\.json is v2 \([0-9a-f]{{12}}\), deployed by {Environment.UserName}@", output);
    }

    [Fact]
    public async Task Release_that_dies_on_probation_is_told_with_84_where_that_is_waited_for()
    {
        var configuration = await _shop.ConfigurationAsync("dies", "EXIT_AFTER_MS=2000", "EXIT_CODE=9");
        configuration["Probation"] = new JsonObject { ["Duration"] = "30s" };

        var (code, output) = await DeployAsync(configuration, "--probation");

        Assert.Equal(84, code);
        Assert.Contains("RolledBack: Release dies exited with code 9 while on probation.", output, StringComparison.Ordinal);
        await _shop.WaitUntilServesAsync("v1");
    }

    [Fact]
    public async Task Rollback_moves_traffic_to_the_warm_release_and_the_next_deployment_lifts_it()
    {
        var configuration = await _shop.ConfigurationAsync("v2");
        configuration["Probation"] = new JsonObject { ["Duration"] = "60s" };
        Assert.Equal(0, (await DeployAsync(configuration)).Code);

        var (code, output) = await RunAsync("rollback", "--json=false");

        Assert.Equal((0, "hello from v1"), (code, await _shop.Client.GetStringAsync("")));
        Assert.Contains("It is warm: traffic moves at once.", output, StringComparison.Ordinal);
        Assert.Equal(0, (await DeployAsync(await _shop.ConfigurationAsync("v3"))).Code);
        Assert.Equal("hello from v3", await _shop.Client.GetStringAsync(""));
    }

    [Fact]
    public async Task Release_is_launched_and_switched_to_by_the_beginning_of_its_hash()
    {
        var hash = await _shop.PublishAsync(await _shop.ConfigurationAsync("v2"));

        var (launched, news) = await RunAsync("launch", hash[..8]);
        Assert.Equal((0, "hello from v1"), (launched, await _shop.Client.GetStringAsync("")));
        using var last = JsonDocument.Parse(news.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal("StandsBy", last.RootElement.GetProperty("End").GetString());

        Assert.Equal(0, (await RunAsync("switch", hash[..8])).Code);
        Assert.Equal("hello from v2", await _shop.Client.GetStringAsync(""));
    }

    [Fact]
    public async Task Interrupted_deployment_goes_on_to_its_end()
    {
        var file = await WriteAsync(await _shop.ConfigurationAsync("v2"));
        await using var deploy = Start("deploy", file, _shop.Bucket, "app");
        await Eventually.HoldsAsync("it is published", () => deploy.Output.Contains("\"Published\"", StringComparison.Ordinal));

        deploy.Terminate();

        Assert.Equal(130, await deploy.WaitForExitAsync(Deadline));
        Assert.Contains("wunderproxy status --watch follows it", deploy.Output, StringComparison.Ordinal);
        await _shop.WaitUntilServesAsync("v2");
    }

    [Fact]
    public async Task Document_that_a_host_does_not_allow_is_refused_with_77()
    {
        var configuration = await _shop.ConfigurationAsync("v2");
        configuration["HostConfig"] = new JsonObject { ["Privileged"] = true };

        var (code, output) = await DeployAsync(configuration);

        Assert.Equal(77, code);
        Assert.Contains("This host can't use it, and goes on with what it has.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_and_explanation_tell_what_happened()
    {
        var (code, history) = await RunAsync("history", _shop.Bucket, "app");
        Assert.Equal(0, code);
        Assert.Equal(["v1"], history.TrimEnd('\n').Split('\n').Select(line => JsonNode.Parse(line)!["Revision"]!.GetValue<string>()));

        var (_, explained) = await RunAsync("explain", "--json=false");
        Assert.Contains("  yes  Ready                  The desired release serves.", explained, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_is_taken_out_of_service_for_load_balancers_only_and_brought_back()
    {
        var (drained, told) = await RunAsync("drain-host", "--quiet", "1s", "--json=false");

        Assert.Equal(0, drained);
        Assert.Contains("Nothing runs on the host any more", told, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _shop.Client.GetAsync("status")).StatusCode);
        Assert.Equal("hello from v1", await _shop.Client.GetStringAsync(""));
        Assert.Equal(0, (await DeployAsync(await _shop.ConfigurationAsync("v2"))).Code);
        Assert.Contains("InService is false for", (await RunAsync("status", "--json=false")).Output, StringComparison.Ordinal);
        Assert.Contains("wunderproxy undrain-host", (await RunAsync("explain", "--json=false")).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("undrain-host")).Code);
        Assert.Equal(HttpStatusCode.OK, (await _shop.Client.GetAsync("status")).StatusCode);
    }

    [Fact]
    public async Task Log_of_what_serves_comes_from_the_engine_and_a_healthy_host_is_told_to_be_well()
    {
        var (logged, log) = await RunAsync("logs", "--tail", "5");
        Assert.Equal(0, logged);
        Assert.Contains("v1 listens on port 9292", log, StringComparison.Ordinal);

        var (examined, findings) = await RunAsync("doctor", _shop.Bucket, "app", "--json=false", "--registry-port", lab.Registry.Split(':')[1]);
        Assert.Equal(0, examined);
        Assert.Contains("ok   conditional writes   The store holds writes to their conditions.", findings, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output)> DeployAsync(JsonObject configuration, params string[] options) =>
        await RunAsync(["deploy", await WriteAsync(configuration), _shop.Bucket, "app", "--json=false", .. options]);

    private async Task<string> WriteAsync(JsonObject configuration)
    {
        var file = Path.Combine(_shop.Installation.Root, $"{configuration["Revision"]!.GetValue<string>()}.json");
        await using var text = File.CreateText(file);
        await text.WriteAsync(configuration.ToJsonString() + "\n");
        return file;
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        await using var process = Start(arguments);
        var code = await process.WaitForExitAsync(Deadline);
        return (code, process.Output);
    }

    private RunningProcess Start(params string[] arguments) => ControllerProcess.Start(
        lab,
        new Dictionary<string, string?>
        {
            ["WUNDERPROXY_API"] = _shop.Installation.Api.Authority,
            ["WUNDERPROXY_DOCKER"] = lab.Docker,
            ["WUNDERPROXY_S3_ENDPOINT"] = lab.S3Endpoint,
            ["WUNDERPROXY_S3_PATH_STYLE"] = "true",
        },
        arguments);
}
