using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>Two applications on one Proxy: what befalls one changes nothing for the other, which is deployed meanwhile as on any other day.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class NeighbourFaults(NeighbouringShop shop) : IClassFixture<NeighbouringShop>
{
    private const string Unaffected = "no request of the other application fails, and a deployment of it takes no longer than 10 s";

    private static readonly TimeSpan LongestDeployment = TimeSpan.FromSeconds(10);

    [Fault("neighbour's container killed", Unaffected)]
    public Task Container_dies() => BefallAsync(
        async () => await shop.Engine.KillContainerAsync((await shop.Neighbour.ServingContainerAsync()).Id, "SIGKILL", CancellationToken.None),
        () => Task.CompletedTask);

    [Fault("neighbour's Controller killed", Unaffected)]
    public Task Controller_dies() => BefallAsync(shop.Neighbour.KillControllerAsync, StartNeighbour);

    [Fault("neighbour's Controller hung", Unaffected)]
    public Task Controller_hangs() => BefallAsync(() => Done(shop.Neighbour.Controller.Pause), () => Done(shop.Neighbour.Controller.Resume));

    [Fault("engine hung for the neighbour's Controller", Unaffected)]
    public Task Engine_hangs() => BefallAsync(() => Done(shop.NeighboursEngine.Hang), () => Done(shop.NeighboursEngine.GoOn));

    [Fault("neighbour's store gone", Unaffected)]
    public Task Store_is_gone() => BefallAsync(
        () => Done(() => Directory.Move(shop.Neighbour.Bucket, Hidden)), () => Done(() => Directory.Move(Hidden, shop.Neighbour.Bucket)));

    [Fault("neighbour's release exits at start", Unaffected)]
    public Task Release_is_broken() => BefallAsync(
        async () => await shop.Neighbour.DeployAsync(await shop.NextOfNeighbourAsync("CRASH_ON_START=1")),
        async () => await shop.Neighbour.DeployAsync(await shop.NextOfNeighbourAsync()));

    [Fault("neighbour's release never answers", Unaffected)]
    public Task Container_hangs() => BefallAsync(
        () => PostAsync("pause"), () => PostAsync("unpause"));

    [Fault("neighbour claims the path of the application", "refused as RouteTaken; no request of the other application fails")]
    public Task Route_is_claimed() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextOfNeighbourAsync();
        configuration["Routing"] = new JsonObject { ["PathPrefix"] = "/" };
        var end = await shop.Neighbour.WaitForEndAsync(await shop.Neighbour.DeployAsync(configuration));
        Assert.Equal(FailureClass.RouteTaken, end.Failure?.Class);
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
    });

    private string Hidden => $"{shop.Neighbour.Bucket}.hidden";

    private Task BefallAsync(Func<Task> begin, Func<Task> end) => shop.PlayAsync(async play =>
    {
        await begin();
        var configuration = await shop.NextAsync();
        await play.RecoverAsync("the other one's deployment has ended", LongestDeployment, async () => await shop.BecomesActiveAsync(await shop.DeployAsync(configuration)));
        await end();
        await Eventually.HoldsAsync("the neighbour is well again", async end => (await shop.Neighbour.StatusAsync()) is { DockerState: "Ok", Plan: { Row: "Settled", Working: [] } }
            && (await shop.Neighbour.ContainersAsync()).Count(c => c.Status == ContainerStatus.Running) == 1
            && (await shop.Neighbour.Client.GetStringAsync("", end)).StartsWith("hello", StringComparison.Ordinal));
    });

    private async Task PostAsync(string call)
    {
        using var engine = EngineHttp.Connect(shop.Lab.DockerSocket, TimeSpan.FromSeconds(10));
        var container = (await shop.Neighbour.ContainersAsync()).Single(c => c.Status is ContainerStatus.Running or ContainerStatus.Paused);
        (await engine.PostAsync(new Uri($"containers/{container.Id}/{call}", UriKind.Relative), null)).Dispose();
    }

    private Task StartNeighbour() => Done(() => shop.Neighbour.Start());

    private static Task Done(Action act)
    {
        act();
        return Task.CompletedTask;
    }
}
