using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>A <see cref="Shop"/> that serves version v0 to a <see cref="MixedLoad"/> while its Controller crashes.</summary>
internal sealed class CrashingShop : IAsyncDisposable
{
    private const int MaxContainers = 4;

    private readonly LabHost _lab;
    private readonly TimeSpan _streamLimit;
    private MixedLoad _load = null!;

    private CrashingShop(LabHost lab, string name, TimeSpan streamLimit)
    {
        _lab = lab;
        _streamLimit = streamLimit;
        Shop = Shop.InDirectory(lab, name);
    }

    public Shop Shop { get; }

    public static async Task<CrashingShop> StartAsync(LabHost lab, string name, TimeSpan streamLimit)
    {
        var crash = new CrashingShop(lab, name, streamLimit);
        crash.Shop.Start();
        await crash.Shop.DeployAsync(await crash.ConfigurationAsync("v0"));
        await crash.Shop.WaitUntilServesAsync("v0");
        crash._load = MixedLoad.Start(crash.Shop.Installation.Public, streamLimit);
        return crash;
    }

    /// <summary>A version whose image is in the registry only, and whose deployment takes long enough to crash in each of its phases.</summary>
    public async Task<JsonObject> ConfigurationAsync(string version)
    {
        var configuration = await Shop.ConfigurationAsync(version, "HEALTHY_AFTER_MS=300");
        configuration["Probation"] = new JsonObject { ["Duration"] = "1s" };
        configuration["Drain"] = new JsonObject { ["Timeout"] = "10s", ["StreamTimeout"] = $"{_streamLimit.TotalSeconds}s" };
        await LabEngine.Open(_lab).RemoveImageAsync($"{_lab.Registry}/sample:{version}", CancellationToken.None);
        return configuration;
    }

    /// <summary>Deploys a version, kills the Controller at a moment of the deployment, and starts it again.</summary>
    public async Task DeployAndKillAsync(string version, Func<string, Task> moment)
    {
        var hash = await Shop.DeployAsync(await ConfigurationAsync(version));
        await moment(hash);
        await Shop.KillControllerAsync();
        Assert.InRange((await Shop.ContainersAsync()).Count, 1, MaxContainers);
        Shop.Start();
    }

    /// <summary>Waits for the end that every deployment has to reach, crash or not: the version serves, one former release is kept, and nothing else is left.</summary>
    public async Task AssertServesAsync(string version)
    {
        await Shop.WaitUntilServesAsync(version);
        await Shop.WaitUntilAsync($"{version} has settled", async () => HasSettled(await Shop.StatusAsync(), version));
        Assert.Equal([ContainerStatus.Running, ContainerStatus.Exited], (await Shop.ContainersAsync()).Select(c => c.Status).Order());
    }

    public async Task AssertNoRequestFailedAsync()
    {
        await _load.StopAsync();
        Assert.Equal("", _load.Record.Failures);
        Assert.Equal(_load.KeptConnections, _load.Connections);
    }

    public async ValueTask DisposeAsync()
    {
        if (_load is not null)
            await _load.DisposeAsync();
        await Shop.DisposeAsync();
    }

    private static bool HasSettled(StatusDocument status, string version) =>
        status.Releases is [{ Phase: ReleasePhase.Active } active, { Phase: ReleasePhase.Retained }]
        && active.Revision == version
        && status.Deployments is [{ End: DeploymentEnd.Succeeded } latest, ..] && latest.Hash == active.Hash
        && status.Plan is { Row: "Settled", Working: [] };
}
