using System.Text;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>S3 fails: what runs serves on, orders are refused in time, and a Controller that starts meanwhile goes by what it has on its disk.</summary>
[Trait("Needs", "Lab")]
[Trait("Suite", "Faults")]
[Collection("Lab")]
public sealed class StoreFaults(FaultedS3Shop shop) : IClassFixture<FaultedS3Shop>
{
    private const string Expected = "status names it, the API answers within 1 s; a deployment succeeds once the store is well";
    private const int Huge = 8 << 20;

    private static readonly TimeSpan Named = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(15);
    private static readonly string UnknownHash = new('0', 64);

    [Fault("S3 stopped", Expected)]
    public Task Stopped() => BreakAsync(shop.Lab.StopS3Async, shop.Lab.StartS3Async, "are not seen");

    [Fault("S3 hung", Expected)]
    public Task Hung() => BreakAsync(S3Fault.Hang, "10 s");

    [Fault("S3 stalled", Expected)]
    public Task Stalled() => BreakAsync(S3Fault.Stall, "10 s");

    [Fault("S3 answers 403", Expected)]
    public Task Forbidden() => BreakAsync(S3Fault.Suspend, "403");

    [Fault("S3 answers 500", Expected)]
    public Task Errors() => AnswerAsync(500, "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>", "500");

    [Fault("S3 answers 503 SlowDown", Expected)]
    public Task Slows_down() => AnswerAsync(503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", "SlowDown");

    [Fault("clock of the host or of S3 skewed", Expected)]
    public Task Skewed() => AnswerAsync(
        403, "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message></Error>", "too large");

    [Fault("answer of S3 truncated", Expected)]
    public Task Truncated() => BreakAsync(
        () => RelayAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("{ \"Revision\": ", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return true;
        }),
        () => RelayAsync(null),
        "are not seen");

    [Fault("DNS gone", Expected)]
    public Task Name_is_unknown() => BreakAsync(() => HostsAsync(""), () => HostsAsync("127.0.0.1 localhost"), "wasn't reached");

    [Fault("S3 slow", "the release serves, later")]
    public Task Slow() => shop.PlayAsync(async play =>
    {
        await shop.Lab.S3FaultAsync(S3Fault.Slow);
        var release = await shop.DeployAsync(await shop.NextAsync());
        await play.RecoverAsync("the release serves", LongestRecovery, () => shop.BecomesActiveAsync(release));
        await shop.Lab.EndS3FaultAsync(S3Fault.Slow);
    });

    [Fault("write of the operator stalled and landing later", "once it has landed the release serves")]
    public Task Write_lands_later() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        var release = await shop.PublishAsync(configuration);
        await shop.Lab.S3FaultAsync(S3Fault.Stall);
        await Assert.ThrowsAnyAsync<StoreException>(() => shop.Shop.MakeCurrentAsync(configuration));
        await shop.Lab.EndS3FaultAsync(S3Fault.Stall);
        await play.RecoverAsync("the release serves", LongestRecovery, () => shop.BecomesActiveAsync(release));
    });

    [Fault("writes to S3 refused (quota)", "nothing that runs needs them; the release serves once the operator can write")]
    public Task Quota() => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        await shop.Lab.S3FaultAsync(S3Fault.Quota);
        await Assert.ThrowsAnyAsync<StoreException>(() => shop.DeployAsync(configuration));
        await shop.Lab.EndS3FaultAsync(S3Fault.Quota);
        await play.RecoverAsync("the release serves", LongestRecovery, async () => await shop.BecomesActiveAsync(await shop.DeployAsync(configuration)));
    });

    [Fault("current.json of 8 MiB", "refused as such; what runs goes on; the next one is taken")]
    public Task Huge_document() => SpoilAsync(new byte[Huge], "it is larger than");

    [Fault("current.json cut off in the middle", "refused with the place; what runs goes on; the next one is taken")]
    public Task Half_a_document() => SpoilAsync("""{ "Revision": "v9", "ContainerConfig": { "Image": """u8.ToArray(), "line 1");

    [Fault("current.json nested 1 000 deep", "refused; what runs goes on; the next one is taken")]
    public Task Deep_document() => SpoilAsync(Encoding.UTF8.GetBytes(new string('[', 1000)), "not a valid launch configuration");

    [Fault("Controller killed while S3 is away", "it reconciles within 1 s by what is on its disk; known releases can be switched to, unknown ones are refused as unavailable")]
    public Task Killed_while_stopped() => shop.PlayAsync(async play =>
    {
        var former = shop.Good;
        await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync()));
        await shop.SettleAsync();
        await shop.Lab.StopS3Async();
        await play.RecoverAsync("it reconciles", FaultedShop.LongestBlindness, async () =>
        {
            await shop.CrashControllerAsync();
            await shop.ReconcilesAsync();
        });
        Assert.Equal(503, (await shop.Shop.PostAsync("launch", UnknownHash)).Status);
        shop.Load.Record.Withdraw(shop.Good.Version);
        Assert.Equal(200, (await shop.Shop.PostAsync("switch", former.Hash)).Status);
        await shop.BecomesActiveAsync(former);
        await shop.Lab.StartS3Async();
    });

    private Task AnswerAsync(int status, string body, string says) => BreakAsync(
        () => RelayAsync(HttpRelay.Answer("/", status, $"""<?xml version="1.0" encoding="UTF-8"?>{body}""", ("Content-Type", "application/xml"))), () => RelayAsync(null), says);

    private Task BreakAsync(S3Fault fault, string says) => BreakAsync(() => shop.Lab.S3FaultAsync(fault), () => shop.Lab.EndS3FaultAsync(fault), says);

    private Task BreakAsync(Func<Task> begin, Func<Task> end, string says) => shop.PlayAsync(async play =>
    {
        var configuration = await shop.NextAsync();
        await begin();
        play.See(await shop.SaysAsync(says, Named));
        await end();
        await play.RecoverAsync("the release serves", LongestRecovery, async () => await shop.BecomesActiveAsync(await shop.DeployAsync(configuration)));
    });

    private Task SpoilAsync(byte[] document, string says) => shop.PlayAsync(async play =>
    {
        await shop.Shop.PutAsync("current.json", document);
        play.See(await shop.SaysAsync(says, Named));
        await play.RecoverAsync("the next release serves", LongestRecovery, async () => await shop.BecomesActiveAsync(await shop.DeployAsync(await shop.NextAsync())));
    });

    private Task RelayAsync(Func<HttpContext, Task<bool>>? fault)
    {
        shop.Store.Fault = fault;
        return Task.CompletedTask;
    }

    // Connections that are open need no name.
    private async Task HostsAsync(string lines)
    {
        shop.SetHosts(lines);
        await shop.CrashControllerAsync();
    }
}
