using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The release itself is broken: it is refused as what it is, a second at most after that could be known, and the one before it serves.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class ReleaseFaults(FaultedShop shop) : IClassFixture<FaultedShop>
{
    private const int Mebibyte = 1024 * 1024;
    private const string OnTheDead = "were on the container that died";

    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(3);

    [Fault("container exits at start", "refused as Exited within 1 s of its end")]
    public Task Container_exits_at_start() => DieAsync(FailureClass.Exited, Same, "CRASH_ON_START=1", "EXIT_CODE=41");

    [Fault("container needs more memory at start than it may use", "refused as OutOfMemory within 1 s of its end")]
    public Task Container_is_out_of_memory_at_start() => DieAsync(FailureClass.OutOfMemory, LimitMemory, "ALLOCATE_MB=200");

    [Fault("container listens on another port", "refused as WrongPort within 1 s of its deadline")]
    public Task Container_listens_elsewhere() => ExpireAsync(FailureClass.WrongPort, "PORT=9393");

    [Fault("health check answers 503", "refused as UnhealthyStatus within 1 s of its deadline")]
    public Task Health_check_answers_503() => ExpireAsync(FailureClass.UnhealthyStatus, "HEALTH=503");

    [Fault("health check never answers", "refused as Timeout within 1 s of its deadline")]
    public Task Health_check_hangs() => ExpireAsync(FailureClass.Timeout, "HEALTH=hang");

    [Fault("image missing", "refused as ImageMissing within 1 s")]
    public Task Image_is_missing() => RefuseAtOnceAsync(FailureClass.ImageMissing, c => c["ContainerConfig"]!["Image"] = $"{shop.Lab.Registry}/sample:never-pushed");

    [Fault("option that the engine refuses", "refused as BadOption within 1 s")]
    public Task Option_is_bad() => RefuseAtOnceAsync(FailureClass.BadOption, c => c["HostConfig"] = new JsonObject { ["Memory"] = 1 });

    [Fault("command missing in the image", "refused as BadOption within 1 s")]
    public Task Command_is_missing() => RefuseAtOnceAsync(FailureClass.BadOption, c => c["ContainerConfig"]!["Entrypoint"] = new JsonArray("/no/such/program"));

    [Fault("host port taken", "refused as PortTaken within 1 s")]
    public async Task Host_port_is_taken()
    {
        using var holder = new TcpListener(IPAddress.Any, 0);
        holder.Start();
        var port = ((IPEndPoint)holder.LocalEndpoint).Port;
        await RefuseAtOnceAsync(
            FailureClass.PortTaken,
            c => c["HostConfig"] = new JsonObject { ["PortBindings"] = new JsonObject { ["9292/tcp"] = new JsonArray(new JsonObject { ["HostPort"] = $"{port}" }) } });
    }

    [Fault("standby in a crash loop", "refused as CrashLoop within 1 s of its last end; the good one isn't touched")]
    public Task Standby_loops() => shop.PlayAsync(async play =>
    {
        await using var deaths = await ContainerDeaths.OfAsync(shop.Lab, shop.Shop.Application);
        var release = await shop.PublishAsync(await shop.NextAsync("EXIT_AFTER_MS=700", "EXIT_CODE=9"));
        await shop.Shop.PostAsync("launch?wait=false", release.Hash);
        await shop.Shop.WaitForPhaseAsync(release.Hash, ReleasePhase.Rejected);
        var failure = (await shop.StatusAsync()).Releases.Single(r => r.Hash == release.Hash).Failure!;
        Assert.Equal(FailureClass.CrashLoop, failure.Class);
        AssertPrompt(play, deaths.Latest, failure.At);
    });

    [Fault("container dies on probation", "the former release answers within 1 s; nothing is started", Excuse = OnTheDead)]
    public Task Container_dies_on_probation() => FailBackAsync(FailureClass.Exited, Same, KillAsync);

    [Fault("container out of memory on probation", "the former release answers within 1 s; nothing is started", Excuse = OnTheDead)]
    public Task Container_is_out_of_memory_on_probation() => FailBackAsync(
        FailureClass.OutOfMemory,
        c => c["HostConfig"] = new JsonObject { ["Memory"] = 160 * Mebibyte, ["MemorySwap"] = 160 * Mebibyte },
        _ => IgnoreAsync(shop.Shop.Client.GetAsync(new Uri("_ctl/memory?mb=400", UriKind.Relative))));

    [Fault("release turns unready on probation", "the former release answers within 1 s of the third failed probe; nothing is started")]
    public Task Release_turns_unready_on_probation() => FailBackAsync(
        FailureClass.UnhealthyStatus, Same, _ => shop.Shop.Client.GetAsync(new Uri("_ctl/health?state=500", UriKind.Relative)));

    [Fault("active container dies", "the same container is started again within 3 s", Excuse = "the only container was down")]
    public Task Active_container_dies() => shop.PlayAsync(async play =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        await shop.Engine.KillContainerAsync(before.Id, "SIGKILL", CancellationToken.None);
        await play.RecoverAsync("it serves again", LongestStart, () => ServesAsync(shop.Good.Version));
        Assert.Equal(before.Id, (await shop.Shop.ServingContainerAsync()).Id);
    });

    [Fault("active container removed by hand", "a new one of the same release serves within 3 s", Excuse = "the only container was down")]
    public Task Active_container_is_removed() => shop.PlayAsync(async play =>
    {
        using var engine = EngineHttp.Connect(shop.Lab.DockerSocket, TimeSpan.FromSeconds(10));
        using var answer = await engine.DeleteAsync(new Uri($"containers/{(await shop.Shop.ServingContainerAsync()).Id}?force=true", UriKind.Relative));
        answer.EnsureSuccessStatusCode();
        await play.RecoverAsync("it serves again", LongestStart, () => ServesAsync(shop.Good.Version));
    });

    [Fault("active container frozen for 2 s", "requests wait and are answered; nothing is started or moved")]
    public Task Active_container_is_frozen() => shop.PlayAsync(async play =>
    {
        using var engine = EngineHttp.Connect(shop.Lab.DockerSocket, TimeSpan.FromSeconds(10));
        var before = await shop.Shop.ServingContainerAsync();
        (await engine.PostAsync(new Uri($"containers/{before.Id}/pause", UriKind.Relative), null)).Dispose();
        await Eventually.PassAsync(TimeSpan.FromSeconds(2));
        (await engine.PostAsync(new Uri($"containers/{before.Id}/unpause", UriKind.Relative), null)).Dispose();
        await play.RecoverAsync("it serves again", Prompt, () => ServesAsync(shop.Good.Version));
        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    });

    [Fault("health of the active release flaps", "it keeps the traffic; nothing is started or moved")]
    public Task Health_flaps() => shop.PlayAsync(async _ =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        foreach (var state in Enumerable.Range(0, 12).Select(turn => turn % 2 == 0 ? "503" : "ok"))
        {
            (await shop.Shop.Client.GetAsync(new Uri($"_ctl/health?state={state}", UriKind.Relative))).Dispose();
            await Eventually.PassAsync(TimeSpan.FromMilliseconds(150));
        }

        Assert.Equal(before, await shop.Shop.ServingContainerAsync());
    });

    [Fault("release starts slowly", "it gets no request before it is healthy, and serves then")]
    public Task Release_starts_slowly() => shop.PlayAsync(async _ => await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync("START_DELAY_MS=1000", "HEALTHY_AFTER_MS=1500"))));

    [Fault("replaced release deaf to SIGTERM", "the next one serves without delay; the deaf one is killed when its grace is over")]
    public Task Replaced_release_is_deaf() => shop.PlayAsync(async play =>
    {
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync("IGNORE_SIGTERM=1")));
        var deaf = shop.Good;
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
        await play.RecoverAsync("the deaf one is gone", TimeSpan.FromSeconds(10), () => shop.Shop.WaitForPhaseAsync(deaf.Hash, ReleasePhase.Retained));
    });

    // --- how they are played -------------------------------------------------------------------------------------------------

    private Task DieAsync(FailureClass failure, Action<JsonObject> spoil, params string[] variables) => shop.PlayAsync(async play =>
    {
        await using var deaths = await ContainerDeaths.OfAsync(shop.Lab, shop.Shop.Application);
        var evidence = await shop.RefusedAsync(await SpoiledAsync(spoil, variables), failure);
        AssertPrompt(play, deaths.Latest, evidence.At);
    });

    private Task ExpireAsync(FailureClass failure, string variable) => shop.PlayAsync(async play =>
    {
        var deadline = TimeSpan.FromSeconds(2);
        var release = await SpoiledAsync(c => c["HealthCheck"] = new JsonObject { ["Deadline"] = "2s", ["Interval"] = "200ms", ["Timeout"] = "1s" }, variable);
        var evidence = await shop.RefusedAsync(release, failure);
        var verifying = (await shop.EndOfAsync(release)).Phases.Last(p => p.Phase == ReleasePhase.Verifying).At;
        AssertPrompt(play, verifying + deadline, evidence.At);
    });

    private Task RefuseAtOnceAsync(FailureClass failure, Action<JsonObject> spoil) => shop.PlayAsync(async play =>
    {
        var release = await SpoiledAsync(spoil);
        var evidence = await shop.RefusedAsync(release, failure);
        AssertPrompt(play, (await shop.EndOfAsync(release)).AcceptedAt, evidence.At);
    });

    private Task FailBackAsync(FailureClass failure, Action<JsonObject> limit, Func<Release, Task> break_) => shop.PlayAsync(async play =>
    {
        var release = await SpoiledAsync(c =>
        {
            limit(c);
            c["Probation"] = new JsonObject { ["Duration"] = "1m" };
        });
        await shop.Shop.WaitForPhaseAsync(release.Hash, ReleasePhase.Probation);
        await shop.Shop.WaitUntilServesAsync(release.Version);
        var warm = Assert.Single(await shop.Shop.ContainersOfAsync(shop.Good.Hash));
        shop.Load.Record.Withdraw(release.Version);
        await break_(release);
        await play.RecoverAsync("the former release answers", Prompt, () => ServesAsync(shop.Good.Version));
        await shop.RolledBackAsync(release, failure);
        Assert.Equal((warm.Id, warm.StartedAt), await shop.Shop.ServingContainerAsync());
    });

    private async Task<Release> SpoiledAsync(Action<JsonObject> spoil, params string[] variables)
    {
        var configuration = await shop.NextAsync(variables);
        spoil(configuration);
        return await shop.DeployAsync(configuration);
    }

    private async Task KillAsync(Release release) =>
        await shop.Engine.KillContainerAsync(Assert.Single(await shop.Shop.ContainersOfAsync(release.Hash)).Id, "SIGKILL", CancellationToken.None);

    // Each look is a visitor of its own: one who came before may still be waiting for the container that died.
    private async Task ServesAsync(string version)
    {
        using var visitor = new HttpClient { BaseAddress = shop.Shop.Installation.Public, Timeout = TimeSpan.FromMilliseconds(200) };
        await Eventually.HoldsAsync($"{version} serves", async end => await visitor.GetStringAsync("", end) == $"hello from {version}");
    }

    private static async Task IgnoreAsync(Task<HttpResponseMessage> request)
    {
        try
        {
            (await request).Dispose();
        }
        catch (HttpRequestException)
        {
            // Its container died of it.
        }
    }

    private static void AssertPrompt(Play play, DateTimeOffset knowable, DateTimeOffset told)
    {
        play.See($"told after {Play.Seconds(told < knowable ? TimeSpan.Zero : told - knowable)}");
        Assert.True(told - knowable < Prompt, $"knowable at {knowable:O}, told at {told:O}");
    }

    private static void Same(JsonObject configuration)
    {
    }

    private static void LimitMemory(JsonObject configuration) => configuration["HostConfig"] = new JsonObject { ["Memory"] = 64 * Mebibyte, ["MemorySwap"] = 64 * Mebibyte };
}
