using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>The registry fails in a deployment: that is no fault of the release, which waits, serves once the registry is well, and isn't refused.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class RegistryFaults(FaultedShop shop) : IClassFixture<FaultedShop>
{
    private static readonly TimeSpan Named = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(15);

    [Fault("registry stopped", "status names it; the release serves once the registry is back")]
    public Task Registry_that_is_stopped() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        await shop.Lab.StopRegistryAsync();
        var release = await shop.DeployAsync(configuration);
        play.See(await shop.SaysAsync("connection refused", Named));
        await shop.Lab.StartRegistryAsync();
        await play.RecoverAsync("the release serves", LongestRecovery, () => shop.BecomesActiveAsync(release));
    });

    [Fault("registry answers 401", "status names it within seconds; the release serves once the registry lets it in")]
    public Task Registry_that_answers_401() => DisturbAsync(HttpRelay.Answer("/v2/", 401, """{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}""", ("WWW-Authenticate", "Basic realm=\"lab\"")), "no basic auth credentials");

    [Fault("registry answers 403", "status names it within seconds; the release serves once the registry lets it in")]
    public Task Registry_that_answers_403() => DisturbAsync(HttpRelay.Answer("/manifests/", 403, """{"errors":[{"code":"DENIED","message":"access is denied"}]}"""), "denied");

    [Fault("registry answers 429", "status names it; the release serves once the registry answers")]
    public Task Registry_that_answers_429() => DisturbAsync(HttpRelay.Answer("/manifests/", 429, """{"errors":[{"code":"TOOMANYREQUESTS","message":"rate limit exceeded"}]}"""), "toomanyrequests");

    [Fault("registry answers 500", "status names it; the release serves once the registry answers")]
    public Task Registry_that_answers_500() => DisturbAsync(HttpRelay.Answer("/manifests/", 500, "out of order"), "500");

    [Fault("blob missing in the registry", "nothing is started; the release serves once the blob is there")]
    public Task Registry_that_lacks_a_blob() => shop.PlayAsync(async play =>
    {
        // The engine itself asks for it again and again, for more than a minute, before it says a word.
        await using var relay = await RelayAsync(HttpRelay.Answer("/blobs/", 404, """{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}"""));
        var release = await DeployAsync(relay);
        await Eventually.HoldsAsync("the blob is asked for", () => relay.Answered > 0);
        relay.Fault = null;
        await play.RecoverAsync("the release serves", LongestRecovery, () => shop.BecomesActiveAsync(release));
    });

    [Fault("blob corrupt in the registry", "nothing is started of it; the release serves once the blob is whole")]
    public Task Registry_whose_blob_is_corrupt() => DisturbAsync(HttpRelay.Answer("/blobs/", 200, "{}"), "verification failed");

    [Fault("registry answers 3 s late", "the release serves, later")]
    public Task Registry_that_is_slow() => shop.PlayAsync(async play =>
    {
        await using var relay = await RelayAsync(HttpRelay.Delay("/manifests/", TimeSpan.FromSeconds(3)));
        await play.RecoverAsync("the release serves", LongestRecovery, async () => await shop.BecomesActiveAsync(await DeployAsync(relay)));
    });

    [Fault("registry hangs", "the API answers, the release is replaced by the next one from a registry that is well")]
    public Task Registry_that_hangs() => shop.PlayAsync(async play =>
    {
        await using var relay = await RelayAsync(HttpRelay.Hang("/manifests/"));
        var hanging = await DeployAsync(relay);
        await shop.SaysAsync("pull", Named);
        var next = await shop.DeployAsync(await shop.NextAsync());
        await play.RecoverAsync("the next release serves", LongestRecovery, () => shop.BecomesActiveAsync(next));
        Assert.Equal(DeploymentEnd.Superseded, (await shop.EndOfAsync(hanging)).End);
    });

    private Task DisturbAsync(Func<HttpContext, Task<bool>> fault, string says) => shop.PlayAsync(async play =>
    {
        await using var relay = await RelayAsync(fault);
        var release = await DeployAsync(relay);
        play.See(await shop.SaysAsync(says, Named));
        relay.Fault = null;
        await play.RecoverAsync("the release serves", LongestRecovery, () => shop.BecomesActiveAsync(release));
    });

    private async Task<HttpRelay> RelayAsync(Func<HttpContext, Task<bool>> fault)
    {
        var relay = await HttpRelay.StartAsync(new Uri($"http://{shop.Lab.Registry}"));
        relay.Fault = fault;
        return relay;
    }

    private async Task<Release> DeployAsync(HttpRelay relay) => await shop.DeployAsync(await shop.NextFromAsync(relay));
}
