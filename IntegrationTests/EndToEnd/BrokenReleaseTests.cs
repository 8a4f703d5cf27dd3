using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Whatever is wrong with a new release, it is refused as soon as that can be known, and the one before it serves on without a failed request.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class BrokenReleaseTests(LabHost lab, ServingShop serving) : IClassFixture<ServingShop>
{
    private const int Mebibyte = 1024 * 1024;

    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(1);

    // The engine alone takes a quarter of a second for a start, and much longer while others start something, too.
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(3);

    private readonly Shop _shop = serving.Shop;

    [Fact]
    public async Task Release_that_exits_is_refused_with_its_exit_code_and_its_last_20_lines()
    {
        await using var deaths = await ContainerDeaths.OfAsync(lab, _shop.Application);

        var end = await RefusedAsync(await _shop.ConfigurationAsync("exits", "CRASH_ON_START=1", "EXIT_CODE=41", "LOG_LINES=30"));

        Assert.Equal((FailureClass.Exited, 41), (end.Failure!.Class, end.Failure.ExitCode));
        Assert.Contains("Release exits exited with code 41 before it was healthy. v1 serves on.", end.Message, StringComparison.Ordinal);
        Assert.Equal(20, end.Failure.Log.Count);
        Assert.Contains("exits crashes on start, as asked", end.Failure.Log);
        AssertPrompt(deaths.Latest, end.EndedAt);
    }

    [Fact]
    public async Task Release_that_needs_more_memory_than_it_may_use_is_refused_as_such()
    {
        await using var deaths = await ContainerDeaths.OfAsync(lab, _shop.Application);
        var configuration = await _shop.ConfigurationAsync("hungry", "ALLOCATE_MB=200", "LOG_LINES=1");
        configuration["HostConfig"] = new JsonObject { ["Memory"] = 64 * Mebibyte, ["MemorySwap"] = 64 * Mebibyte };

        var end = await RefusedAsync(configuration);

        Assert.Equal((FailureClass.OutOfMemory, 137), (end.Failure!.Class, end.Failure.ExitCode));
        Assert.Contains("used more memory than it may. v1 serves on. Raise HostConfig.Memory", end.Message, StringComparison.Ordinal);
        Assert.Equal(["line 1"], end.Failure.Log);
        AssertPrompt(deaths.Latest, end.EndedAt);
    }

    [Fact]
    public async Task Standby_that_is_healthy_and_exits_again_and_again_is_refused_as_a_crash_loop()
    {
        await using var deaths = await ContainerDeaths.OfAsync(lab, _shop.Application);
        await using var load = new LightLoad(_shop.Installation.Public);
        var configuration = await _shop.ConfigurationAsync("loops", "EXIT_AFTER_MS=1000", "EXIT_CODE=9");

        // No probe at the moment of an exit, so that the last one before it was answered.
        configuration["HealthCheck"] = new JsonObject { ["Interval"] = "30s" };
        var hash = await _shop.PublishAsync(configuration);

        Assert.Equal(200, (await _shop.PostAsync("launch", hash)).Status);
        await _shop.WaitForPhaseAsync(hash, ReleasePhase.Rejected);

        var failure = (await _shop.StatusAsync()).Releases.Single(r => r.Hash == hash).Failure!;
        Assert.Equal((FailureClass.CrashLoop, 9), (failure.Class, failure.ExitCode));
        Assert.Contains("Release loops was healthy and exited 3 times, the last time with code 9. v1 serves on.", failure.Message, StringComparison.Ordinal);
        Assert.StartsWith("200 OK", failure.LastProbe, StringComparison.Ordinal);
        Assert.Equal("exiting with code 9, as asked", failure.Log[^1]);
        AssertPrompt(deaths.Latest, failure.At);
        await AssertNothingIsLeftAsync(hash);
        Assert.Equal(["hello from v1"], await load.EndAsync());
    }

    [Fact]
    public async Task Release_that_listens_on_another_port_is_refused_with_both_ports()
    {
        var configuration = await _shop.ConfigurationAsync("aside", "PORT=9393");

        var end = await RefusedAtDeadlineAsync(configuration, TimeSpan.FromSeconds(3));

        Assert.Equal((FailureClass.WrongPort, "connection refused"), (end.Failure!.Class, end.Failure.LastProbe));
        Assert.Contains("nothing listens on port 9292, but the container listens on 9393. v1 serves on. Set Port to 9393", end.Message, StringComparison.Ordinal);
        Assert.Equal(["aside listens on port 9393"], end.Failure.Log);
    }

    [Fact]
    public async Task Release_whose_health_check_answers_an_error_is_refused_with_the_answer()
    {
        var configuration = await _shop.ConfigurationAsync("ill", "HEALTH=503");

        var end = await RefusedAtDeadlineAsync(configuration, TimeSpan.FromSeconds(3));

        Assert.Equal((FailureClass.UnhealthyStatus, "503 Service Unavailable 'unhealthy'"), (end.Failure!.Class, end.Failure.LastProbe));
        Assert.Contains("was not healthy within 3s: /status answered 503 Service Unavailable 'unhealthy'. v1 serves on.", end.Message, StringComparison.Ordinal);
        Assert.Equal(["ill listens on port 9292"], end.Failure.Log);
    }

    [Fact]
    public async Task Release_whose_health_check_redirects_is_not_healthy()
    {
        var configuration = await _shop.ConfigurationAsync("elsewhere", "HEALTH=302");

        var end = await RefusedAtDeadlineAsync(configuration, TimeSpan.FromSeconds(3));

        Assert.Equal(FailureClass.UnhealthyStatus, end.Failure!.Class);
        Assert.StartsWith("302 Found", end.Failure.LastProbe, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_that_never_answers_is_refused_at_its_deadline()
    {
        var configuration = await _shop.ConfigurationAsync("mute", "HEALTH=hang");

        var end = await RefusedAtDeadlineAsync(configuration, TimeSpan.FromSeconds(2));

        Assert.Equal(FailureClass.Timeout, end.Failure!.Class);
        Assert.Contains("was not healthy within 2s: /status on port 9292 gave no answer", end.Message, StringComparison.Ordinal);
        Assert.Contains("v1 serves on.", end.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Image_that_the_registry_does_not_have_is_named_at_once()
    {
        var configuration = await _shop.ConfigurationAsync("nowhere");
        var image = $"{lab.Registry}/sample:never-pushed";
        configuration["ContainerConfig"]!["Image"] = image;

        var end = await RefusedAsync(configuration);

        Assert.Equal(FailureClass.ImageMissing, end.Failure!.Class);
        Assert.Contains(image, end.Message, StringComparison.Ordinal);
        Assert.Contains("'. v1 serves on. Push the image, or correct ContainerConfig.Image;", end.Message, StringComparison.Ordinal);
        AssertPrompt(end.AcceptedAt, end.EndedAt);
    }

    [Fact]
    public async Task Option_that_the_engine_refuses_is_told_in_the_words_of_the_engine()
    {
        var configuration = await _shop.ConfigurationAsync("tiny");
        configuration["HostConfig"] = new JsonObject { ["Memory"] = 1 };

        var end = await RefusedAsync(configuration);

        Assert.Equal(FailureClass.BadOption, end.Failure!.Class);
        Assert.Contains("Minimum memory limit", end.Message, StringComparison.Ordinal);
        Assert.Contains("'. v1 serves on. Correct the option in ContainerConfig or HostConfig;", end.Message, StringComparison.Ordinal);
        AssertPrompt(end.AcceptedAt, end.EndedAt);
    }

    [Fact]
    public async Task Command_that_the_image_does_not_have_is_a_bad_option()
    {
        var configuration = await _shop.ConfigurationAsync("typo");
        configuration["ContainerConfig"]!["Entrypoint"] = new JsonArray("/no/such/program");

        var end = await RefusedAsync(configuration);

        Assert.Equal(FailureClass.BadOption, end.Failure!.Class);
        Assert.Contains("/no/such/program", end.Message, StringComparison.Ordinal);
        Assert.Contains("v1 serves on.", end.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_port_that_is_taken_is_named_at_once()
    {
        using var holder = new TcpListener(IPAddress.Any, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        var configuration = await _shop.ConfigurationAsync("clash");
        configuration["HostConfig"] = new JsonObject { ["PortBindings"] = new JsonObject { ["9292/tcp"] = new JsonArray(new JsonObject { ["HostPort"] = $"{port}" }) } };

        var end = await RefusedAsync(configuration);

        Assert.Equal(FailureClass.PortTaken, end.Failure!.Class);
        Assert.Contains($"{port}", end.Message, StringComparison.Ordinal);
        Assert.Contains("v1 serves on. Free the port", end.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_that_dies_on_probation_gives_the_traffic_back_within_a_second_and_is_not_tried_again()
    {
        await using var shop = Shop.InDirectory(lab, "dies");
        var hash = await OnProbationAsync(shop);

        await shop.Client.GetAsync("_ctl/exit?code=7");
        await AssertServesWithinAsync(Prompt, shop, "v1");

        var end = await RolledBackAsync(shop, hash);
        Assert.Equal((FailureClass.Exited, 7), (end.Failure!.Class, end.Failure.ExitCode));
        Assert.Contains("Release v2 exited with code 7 while on probation. v1 serves on.", end.Message, StringComparison.Ordinal);
        Assert.Equal("exiting with code 7, as asked", end.Failure.Log[^1]);
    }

    [Fact]
    public async Task Release_that_turns_unready_on_probation_gives_the_traffic_back_within_a_second_and_is_not_tried_again()
    {
        await using var shop = Shop.InDirectory(lab, "sickens");
        var hash = await OnProbationAsync(shop);

        await shop.Client.GetAsync("_ctl/health?state=500");
        await AssertServesWithinAsync(Prompt, shop, "v1");

        var end = await RolledBackAsync(shop, hash);
        Assert.Equal((FailureClass.UnhealthyStatus, "500 Internal Server Error 'unhealthy'"), (end.Failure!.Class, end.Failure.LastProbe));
        Assert.Contains("Release v2 became unhealthy while on probation: /status answered 500 Internal Server Error 'unhealthy'. v1 serves on.", end.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_of_which_too_many_requests_fail_gives_the_traffic_back_within_15_s_and_is_not_tried_again()
    {
        await using var shop = Shop.InDirectory(lab, "errs");
        await using var load = await DeployedUnderLoadAsync(shop);
        var configuration = await shop.ConfigurationAsync("v2", "FAIL_EVERY=20");
        configuration["Probation"] = new JsonObject { ["MaxErrorRate"] = "1%" };

        var hash = await shop.DeployAsync(configuration);
        await shop.WaitForPhaseAsync(hash, ReleasePhase.Rejected);

        var end = await RolledBackAsync(shop, hash);
        Assert.Equal(FailureClass.ErrorRate, end.Failure!.Class);
        Assert.Contains("and the release before had 0%. v1 serves on.", end.Message, StringComparison.Ordinal);
        Assert.Equal("v2 listens on port 9292", end.Failure.Log[^1]);
        Assert.InRange(end.EndedAt!.Value - end.Phases.First(p => p.Phase == ReleasePhase.Probation).At, TimeSpan.Zero, TimeSpan.FromSeconds(15));
        Assert.Equal(["Response status code does not indicate success: 500 (Internal Server Error).", "hello from v1", "hello from v2"], (await load.EndAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Release_that_dies_later_is_started_again_at_once()
    {
        await using var shop = Shop.InDirectory(lab, "faints");
        shop.Start();
        var hash = await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        await shop.WaitForPhaseAsync(hash, ReleasePhase.Active);
        var before = Assert.Single(await shop.ContainersOfAsync(hash));

        await shop.Client.GetAsync("_ctl/exit?code=7");
        await Eventually.HoldsAsync("it runs anew", async _ => (await shop.ContainersOfAsync(hash)).Single().StartedAt > before.StartedAt);
        await shop.WaitUntilServesAsync("v1");

        var after = Assert.Single(await shop.ContainersOfAsync(hash));
        Assert.Equal(before.Id, after.Id);
        Assert.True(after.StartedAt - after.FinishedAt < LongestStart, $"ended at {after.FinishedAt:O}, started at {after.StartedAt:O}; the Controller says:\n{shop.Controller.Output}");
    }

    private void AssertPrompt(DateTimeOffset knowable, DateTimeOffset? refused) =>
        Assert.True(refused - knowable < Prompt, $"knowable at {knowable:O}, refused at {refused:O}; the Controller says:\n{_shop.Controller.Output}");

    // Each look is a visitor of its own: one who came before may still be waiting for the release that failed.
    private static async Task AssertServesWithinAsync(TimeSpan limit, Shop shop, string version)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var visitor = new HttpClient { BaseAddress = shop.Installation.Public, Timeout = TimeSpan.FromMilliseconds(200) };
        await Eventually.HoldsAsync($"{version} serves", async end => await visitor.GetStringAsync("", end) == $"hello from {version}");
        var took = TimeProvider.System.GetElapsedTime(began);
        Assert.True(took < limit, $"{version} served after {took.TotalMilliseconds:0} ms; the Controller says:\n{shop.Controller.Output}");
    }

    /// <summary>Deploys a broken release under load.</summary>
    /// <returns>How its deployment ended, once nothing is left of it.</returns>
    private async Task<DeploymentStatus> RefusedAsync(JsonObject configuration)
    {
        await using var load = new LightLoad(_shop.Installation.Public);
        var hash = await _shop.DeployAsync(configuration);
        var end = await _shop.WaitForEndAsync(hash);
        Assert.Equal(DeploymentEnd.Failed, end.End);
        await AssertNothingIsLeftAsync(hash);
        Assert.Equal(["hello from v1"], await load.EndAsync());
        return end;
    }

    private async Task<DeploymentStatus> RefusedAtDeadlineAsync(JsonObject configuration, TimeSpan deadline)
    {
        configuration["HealthCheck"] = new JsonObject { ["Deadline"] = Duration.Format(deadline), ["Interval"] = "200ms", ["Timeout"] = "1s" };
        var end = await RefusedAsync(configuration);
        AssertPrompt(end.Phases.Last(p => p.Phase == ReleasePhase.Verifying).At + deadline, end.EndedAt);
        return end;
    }

    private async Task AssertNothingIsLeftAsync(string hash)
    {
        await Eventually.HoldsAsync("its container is gone", async _ => (await _shop.ContainersOfAsync(hash)).Count == 0);
        Assert.Equal(ReleasePhase.Rejected, (await _shop.StatusAsync()).Releases.Single(r => r.Hash == hash).Phase);
    }

    /// <summary>v2 serves on probation, v1 is warm.</summary>
    private static async Task<string> OnProbationAsync(Shop shop)
    {
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        shop.Start();
        await shop.WaitUntilServesAsync("v1");
        var configuration = await shop.ConfigurationAsync("v2");
        configuration["Probation"] = new JsonObject { ["Duration"] = "1m" };
        configuration["HealthCheck"] = new JsonObject { ["Interval"] = "100ms", ["Failures"] = 3 };
        var hash = await shop.DeployAsync(configuration);
        await shop.WaitForPhaseAsync(hash, ReleasePhase.Probation);
        return hash;
    }

    /// <summary>v1 serves, and has visitors enough to say how good it is.</summary>
    private static async Task<LightLoad> DeployedUnderLoadAsync(Shop shop)
    {
        await shop.DeployAsync(await shop.ConfigurationAsync("v1"));
        shop.Start();
        await shop.WaitUntilServesAsync("v1");
        var load = new LightLoad(shop.Installation.Public);
        await Eventually.HoldsAsync("v1 has had 200 requests", async _ => (await shop.StatusAsync()).Requests >= 200);
        return load;
    }

    private static async Task<DeploymentStatus> RolledBackAsync(Shop shop, string hash)
    {
        await Eventually.HoldsAsync("the container of v2 is gone", async _ => (await shop.ContainersOfAsync(hash)).Count == 0);
        var status = await shop.StatusAsync();
        Assert.Equal(ReleasePhase.Rejected, status.Releases.Single(r => r.Hash == hash).Phase);
        var end = Assert.Single(status.Deployments, d => d.Hash == hash);
        Assert.Equal(DeploymentEnd.RolledBack, end.End);

        // current.json still names it, and is read several times meanwhile.
        await Eventually.PassAsync(TimeSpan.FromSeconds(3));
        Assert.Empty(await shop.ContainersOfAsync(hash));
        Assert.Equal("hello from v1", await shop.Client.GetStringAsync(""));
        return end;
    }
}
