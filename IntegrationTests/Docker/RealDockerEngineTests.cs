using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>The conformance suite against a real dockerd and a real registry, and what only those can show.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class RealDockerEngineTests(LabHost lab) : EngineConformance
{
    private readonly TestImages _images = new(lab.Docker);
    private readonly DirectoryInfo _dockerConfig = Directory.CreateTempSubdirectory("wp-docker-config");

    private protected override IContainerEngine Engine => EngineAt(lab.Docker);

    private protected override string BaseImage => "wp-test-busybox:1";

    private protected override string Registry => lab.Registry;

    public override async ValueTask InitializeAsync()
    {
        if (await Engine.InspectImageAsync(BaseImage, Token) is null)
        {
            await _images.ImportAsync(BaseImage, "");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _images.Dispose();
        _dockerConfig.Delete(recursive: true);
    }

    [Fact]
    public async Task Log_of_a_terminal_is_read_as_lines()
    {
        var body = Body("echo one; echo two");
        body["Tty"] = true;
        var id = await Engine.CreateContainerAsync(NameOf("a"), body, Token);
        await Engine.StartContainerAsync(id, Token);
        await WaitForEndAsync(id);

        Assert.Equal(["one", "two"], await Engine.GetLogTailAsync(id, 10, Token));
    }

    [Fact]
    public async Task Log_that_the_driver_does_not_keep_is_empty()
    {
        var id = await StartedAsync("a", "echo one", new JsonObject { ["LogConfig"] = new JsonObject { ["Type"] = "none" } });
        await WaitForEndAsync(id);

        Assert.Empty(await Engine.GetLogTailAsync(id, 10, Token));
    }

    [Fact]
    public async Task Registry_that_asks_for_a_password_refuses_without_and_serves_with_it()
    {
        await using var guarded = await PasswordRegistry.StartAsync(lab.Registry);
        await PublishAsync($"{lab.Registry}/wp-test-{Run}:1");
        var reference = $"{guarded.Address}/wp-test-{Run}:1";

        await FailsAsync(EngineFault.Unauthorized, () => Engine.PullImageAsync(reference, null, Token));
        await LogInAsync(guarded.Address, Convert.ToBase64String("ci:wrong-secret"u8));
        var failure = await FailsAsync(EngineFault.Unauthorized, () => Engine.PullImageAsync(reference, null, Token));
        Assert.DoesNotContain("wrong-secret", failure.ToString(), StringComparison.Ordinal);

        await LogInAsync(guarded.Address, PasswordRegistry.Auth);
        await Engine.PullImageAsync(reference, null, Token);
        Assert.True(await Engine.RemoveImageAsync(reference, Token));
    }

    [Fact]
    public async Task Broken_layer_is_the_registry_s_fault()
    {
        await BrokenImage.PublishAsync(lab.Registry, $"wp-test-{Run}", "broken");
        await FailsAsync(EngineFault.RegistryUnavailable, () => Engine.PullImageAsync($"{lab.Registry}/wp-test-{Run}:broken", null, Token));
    }

    [Fact]
    public async Task Watch_ends_when_the_engine_stops_and_then_the_engine_is_unreachable()
    {
        await using var dockerd = await PrivateDockerd.StartAsync(lab);
        var engine = EngineAt(dockerd.Address);
        await using var events = engine.WatchAsync(Ours, Token).GetAsyncEnumerator(Token);
        Assert.True(await events.MoveNextAsync());

        await dockerd.StopAsync();

        Assert.True(await EndsAsync(events), "The stream goes on.");
        var failure = await FailsAsync(EngineFault.Unreachable, () => engine.StartContainerAsync("a", Token));
        Assert.Contains("there is no such socket", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_to_an_engine_that_hangs_is_ambiguous_and_works_again_afterwards()
    {
        await using var dockerd = await PrivateDockerd.StartAsync(lab);
        var engine = EngineAt(dockerd.Address, new EngineDeadlines { Short = TimeSpan.FromSeconds(1) });
        await engine.GetInfoAsync(Token);

        dockerd.Pause();
        await FailsAsync(EngineFault.Ambiguous, () => engine.RemoveContainerAsync("a", Token));

        // Now even the question for the version isn't answered, so nothing was asked at all.
        await FailsAsync(EngineFault.Unreachable, () => engine.RemoveContainerAsync("a", Token));

        dockerd.Resume();
        await engine.RemoveContainerAsync("a", Token);
    }

    private protected override Task PublishAsync(string reference) => _images.PublishAsync(reference, reference);

    private protected override Task<MemoryStream> SaveAsync(string reference) => _images.SaveAsync(reference);

    private protected override Task RemoveNetworkAsync(string name) => _images.RemoveNetworkAsync(name);

    private static async Task<bool> EndsAsync(IAsyncEnumerator<EngineEvent> events)
    {
        try
        {
            return !await events.MoveNextAsync();
        }
        catch (EngineException e) when (e.Fault is EngineFault.Unreachable)
        {
            return true;
        }
    }

    private Task LogInAsync(string registry, string auth)
    {
        var config = new JsonObject { ["auths"] = new JsonObject { [registry] = new JsonObject { ["auth"] = auth } } };
        return File.WriteAllLinesAsync(Path.Combine(_dockerConfig.FullName, "config.json"), [config.ToJsonString()], Token);
    }

    private DockerEngine EngineAt(string address, EngineDeadlines? deadlines = null) => new(
        EngineEndpoint.Parse(address),
        new RegistryCredentials(_dockerConfig.FullName, TimeProvider.System, NullLogger.Instance),
        deadlines ?? new EngineDeadlines(),
        TimeProvider.System,
        NullLogger<DockerEngine>.Instance);
}
