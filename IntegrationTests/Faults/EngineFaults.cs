using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The Docker Engine fails: what runs serves on, and what was wanted is done once the engine is well, without a second container.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class EngineFaults(FaultedShop shop) : IClassFixture<FaultedShop>
{
    private const string Ended = "the engine had ended the only container";
    private const string LiveRestore = "--live-restore";

    private static readonly TimeSpan Named = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestDeployment = TimeSpan.FromSeconds(20);

    [Fault("dockerd stopped and started, without live-restore", "the same container serves within 5 s of the engine's return", Excuse = Ended)]
    public Task Stopped() => RestartAsync(shop.Lab.StopDockerdAsync);

    [Fault("dockerd killed and started, without live-restore", "what runs serves until the engine returns and ends it; the same container serves within 5 s of that", Excuse = Ended)]
    public Task Killed() => RestartAsync(shop.Lab.KillDockerdAsync);

    [Fault("dockerd killed in a deployment, with live-restore", "the deployment is finished once the engine is back")]
    public Task Killed_with_live_restore() => RestartInDeploymentAsync(shop.Lab.KillDockerdAsync);

    [Fault("dockerd stopped in a deployment, with live-restore", "the deployment is finished once the engine is back")]
    public Task Stopped_with_live_restore() => RestartInDeploymentAsync(shop.Lab.StopDockerdAsync);

    [Fault("dockerd hung (SIGSTOP) in a deployment", "the API answers within 1 s; the deployment is finished once the engine goes on")]
    public Task Hung() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync("HEALTHY_AFTER_MS=300");
        await shop.Lab.PauseDockerdAsync();
        var release = await shop.DeployAsync(configuration);
        await Eventually.HoldsAsync("the deployment has begun", async _ => (await shop.StatusAsync()).Deployments.Any(d => d.Hash == release.Hash && d.End is null));
        for (var look = 0; look < 20; look++)
            await shop.StatusAsync();
        await shop.Lab.ResumeDockerdAsync();
        await play.RecoverAsync("the release serves", LongestDeployment, () => shop.BecomesActiveAsync(release));
    });

    [Fault("dockerd hung (SIGSTOP) for longer than its calls may take", "status names it, the API answers within 1 s; the deployment is finished once the engine goes on")]
    public Task Hung_for_long() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        await shop.Lab.PauseDockerdAsync();
        var release = await shop.DeployAsync(configuration);
        play.See(await shop.SaysAsync("within", Named));
        await shop.Lab.ResumeDockerdAsync();
        await play.RecoverAsync("the release serves", LongestDeployment, () => shop.BecomesActiveAsync(release));
    });

    [Fault("engine hung while the Controller is killed", "the Controller starts all the same and says what it waits for")]
    public Task Hung_while_the_Controller_starts() => shop.PlayAsync(async play =>
    {
        shop.Relay.Hang();
        await shop.CrashControllerAsync();
        await Eventually.HoldsAsync("the API answers", async _ => (await shop.Shop.StatusAsync()).DockerState != "Ok");
        shop.Relay.GoOn();
        await play.RecoverAsync("it reconciles", LongestRecovery, shop.ReconcilesAsync);
    });

    [Fault("each answer of the engine 500 ms late", "the deployment takes longer, and makes one container")]
    public Task Slow() => shop.PlayAsync(async play =>
    {
        shop.Relay.Delay = TimeSpan.FromMilliseconds(500);
        var release = await shop.DeployAsync(await shop.NextAsync());
        await play.RecoverAsync("the release serves", LongestDeployment, () => shop.BecomesActiveAsync(release));
        Assert.Single(await shop.Shop.ContainersOfAsync(release.Hash));
        shop.Relay.Delay = TimeSpan.Zero;
    });

    [Fault("connections to the engine cut again and again in a deployment", "whatever was begun is found again; it makes one container")]
    public Task Cut() => shop.PlayAsync(async play =>
    {
        var release = await shop.DeployAsync(await shop.NextAsync());
        var serves = shop.BecomesActiveAsync(release);
        await play.RecoverAsync("the release serves", LongestDeployment, async () =>
        {
            for (var cut = 0; cut < 10; cut++)
            {
                await Eventually.PassAsync(TimeSpan.FromMilliseconds(150));
                await shop.Relay.CutAsync();
            }

            await serves;
        });
        Assert.Single(await shop.Shop.ContainersOfAsync(release.Hash));
    });

    [Fault("address of the stopped active container taken by somebody else's", "the release gets another container, and serves within 5 s", Excuse = "the only container was down")]
    public Task Address_is_taken() => shop.PlayAsync(async play =>
    {
        await shop.Lab.ImportBusyboxAsync("busybox:lab");
        using var engine = EngineHttp.Connect(shop.Lab.DockerSocket, TimeSpan.FromSeconds(20));
        var before = (await shop.Shop.ContainersAsync()).Single(c => c.Status == ContainerStatus.Running);
        await shop.Shop.KillControllerAsync();
        await shop.Engine.KillContainerAsync(before.Id, "SIGKILL", CancellationToken.None);
        var thief = await TakeAddressAsync(engine, before.Id);
        shop.StartController();
        await play.RecoverAsync("it serves again", LongestRecovery, () => shop.Shop.WaitUntilServesAsync(shop.Good.Version));
        Assert.NotEqual(before.Id, (await shop.Shop.ServingContainerAsync()).Id);
        (await engine.DeleteAsync(new Uri($"containers/{thief}?force=true", UriKind.Relative))).Dispose();
    });

    private Task RestartAsync(Func<Task> end) => shop.PlayAsync(async play =>
    {
        var before = await shop.Shop.ServingContainerAsync();
        await end();
        play.See(await shop.SaysAsync("Docker Engine", Named));
        await shop.Lab.StartDockerdAsync();
        await play.RecoverAsync("it serves again", LongestRecovery, async () =>
        {
            await Eventually.HoldsAsync("the container runs anew", async _ => (await shop.Shop.ContainersAsync()).Any(c => c.Status == ContainerStatus.Running && c.StartedAt > before.StartedAt));
            await shop.Shop.WaitUntilServesAsync(shop.Good.Version);
        });
        Assert.Equal(before.Id, (await shop.Shop.ServingContainerAsync()).Id);
    });

    // An engine that is started with live-restore keeps what runs from then on.
    private async Task RestartInDeploymentAsync(Func<Task> end)
    {
        await shop.Lab.KillDockerdAsync();
        shop.Load.Record.Excuse(Ended);
        await shop.Lab.StartDockerdAsync(LiveRestore);
        await Eventually.HoldsAsync("the good one serves", async _ => (await shop.Shop.StatusAsync()).Releases.Any(r => r.Hash == shop.Good.Hash && r.Phase == ReleasePhase.Active));
        await shop.Shop.WaitUntilServesAsync(shop.Good.Version);
        await shop.Load.RoundAsync();
        try
        {
            await shop.PlayAsync(async play =>
            {
                var release = await shop.DeployAsync(await shop.NextAsync("HEALTHY_AFTER_MS=300"));
                await shop.Shop.WaitUntilPhaseIsSeenAsync(release.Hash, ReleasePhase.Starting);
                await end();
                await shop.Lab.StartDockerdAsync(LiveRestore);
                await play.RecoverAsync("the release serves", LongestDeployment, () => shop.BecomesActiveAsync(release));
            });
        }
        finally
        {
            shop.Load.Record.Excuse(Ended);
            await shop.Lab.StopDockerdAsync();
            await shop.Lab.StartDockerdAsync();
            await shop.SettleAsync();
            await shop.Load.RoundAsync();
            shop.Load.Record.Excuse(null);
        }
    }

    private static async Task<string> TakeAddressAsync(HttpClient engine, string victim)
    {
        var endpoint = JsonNode.Parse(await engine.GetStringAsync(new Uri($"containers/{victim}/json", UriKind.Relative)))!["NetworkSettings"]!["Networks"]!.AsObject().Single();
        var body = new JsonObject
        {
            ["Image"] = "busybox:lab",
            ["Cmd"] = new JsonArray("sleep", "600"),
            ["NetworkingConfig"] = new JsonObject
            {
                ["EndpointsConfig"] = new JsonObject { [endpoint.Key] = new JsonObject { ["IPAMConfig"] = endpoint.Value!["IPAMConfig"]!.DeepClone() } },
            },
        };
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var created = await engine.PostAsync(new Uri("containers/create", UriKind.Relative), content);
        var id = (string)JsonNode.Parse(await created.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!["Id"]!;
        using var started = await engine.PostAsync(new Uri($"containers/{id}/start", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.NoContent, started.StatusCode);
        return id;
    }
}
