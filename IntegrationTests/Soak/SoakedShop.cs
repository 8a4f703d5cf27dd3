using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>An application that is deployed again and again, under load, while things break around it.</summary>
internal sealed class SoakedShop : IAsyncDisposable
{
    private const int MostImages = 4;

    // In an hour on a machine that does other things, too, a release may once need seconds for its first answers after a switch, by which the visitors know of it.
    private static readonly TimeSpan StreamLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StreamSlack = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan SettleDeadline = TimeSpan.FromSeconds(120);

    // The longest exchange takes a second; what a crash cut off has come back with its failure after that.
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(3);

    private readonly LabHost _lab;
    private readonly SoakLog _log;
    private readonly Disturbances _disturbances;
    private readonly Random _random;
    private readonly IReadOnlyList<Disturbance> _possible;
    private readonly TimeSpan _interval;
    private readonly SocketRelay _relay;
    private readonly IContainerEngine _engine;
    private MixedLoad _load = null!;
    private string _good = "";
    private string _goodHash = "";
    private long _logged;
    private int _version = -1;

    private SoakedShop(LabHost lab, Shop shop, SoakLog log, Disturbances disturbances, SoakedShopPlan plan, int seed)
    {
        (_lab, Shop, _log, _disturbances, _random) = (lab, shop, log, disturbances, new Random(seed));
        (_possible, _interval, MayLoseProxy) = (plan.Disturbances, plan.Interval, plan.MayLoseProxy);
        _engine = LabEngine.Open(lab);
        _relay = SocketRelay.Start(Path.Combine(shop.Installation.Root, "engine.sock"), lab.DockerSocket);
        shop.Installation.Engine = _relay.Address;
    }

    public Shop Shop { get; }

    public RunningProcess Proxy { get; private set; } = null!;

    public MixedLoadRecord Record => _load.Record;

    /// <summary>How often each thing was done.</summary>
    public SortedDictionary<string, int> Done { get; } = new(StringComparer.Ordinal);

    /// <summary>Characters that all of its Controllers wrote so far.</summary>
    public long ControllerLogged => _logged + Shop.Controller.OutputLength;

    private bool MayLoseProxy { get; }

    /// <summary>Starts Controller, Proxy and load; version v0 serves then.</summary>
    public static async Task<SoakedShop> StartAsync(LabHost lab, Shop shop, SoakLog log, Disturbances disturbances, SoakedShopPlan plan, int seed)
    {
        var soaked = new SoakedShop(lab, shop, log, disturbances, plan, seed);
        soaked.Proxy = shop.Installation.StartProxy();
        shop.Start();
        var hash = await shop.DeployAsync(await soaked.NextAsync());
        await soaked.SettleAsync("v0", hash);
        soaked._load = MixedLoad.Start(shop.Installation.Public, StreamLimit, seed, plan.Pause, StreamSlack);
        return soaked;
    }

    /// <summary>Deploys and breaks until the end; the cycle that has begun is finished.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var began = TimeProvider.System.GetTimestamp();
            await DeployAsync();
            if (_random.Next(6) == 0)
                await CrashContainerAsync();
            if (MayLoseProxy && _random.Next(6) == 0)
                await CrashProxyAsync();
            await AssertOnlyExpectedIsLeftAsync();
            var rest = _interval - TimeProvider.System.GetElapsedTime(began);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, TimeProvider.System, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task StopLoadAsync() => _load.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_load is not null)
            await _load.DisposeAsync();
        await Shop.DisposeAsync();
        await _relay.DisposeAsync();
    }

    // --- deployments ---------------------------------------------------------------------------------------------------------

    private Task DeployAsync() => _random.Next(20) switch
    {
        < 9 => DeclareAsync(),
        < 13 => OrderAsync(),
        13 => RollBackAsync(),
        < 16 => BreakAsync("exits on start", configuration => Environment(configuration).Add("CRASH_ON_START=1")),
        < 18 => BreakAsync("unhealthy", configuration =>
        {
            Environment(configuration).Add("HEALTH=503");
            configuration["HealthCheck"] = new JsonObject { ["Deadline"] = "3s" };
        }),
        18 => BreakAsync("no such image", configuration => configuration["ContainerConfig"]!["Image"] = $"{_lab.Registry}/{Shop.Application}:never-pushed"),
        _ => BreakAsync("bad option", configuration => configuration["HostConfig"] = new JsonObject { ["Memory"] = 1 }),
    };

    private async Task DeclareAsync()
    {
        var configuration = await NextAsync();
        Note($"v{_version} by current.json");
        var hash = await Shop.DeployAsync(configuration);
        await DisturbAsync(() => SucceedAsync(hash));
    }

    private async Task OrderAsync()
    {
        var configuration = await NextAsync();
        Note($"v{_version} by /launch and /switch");
        var hash = await Shop.PublishAsync(configuration);
        await DisturbAsync(async () =>
        {
            await InsistAsync("launch", hash);
            await InsistAsync("switch", hash);
            await SucceedAsync(hash);
        });
    }

    // On probation the new release dies, and the one before it serves again.
    private async Task RollBackAsync()
    {
        var configuration = await NextAsync();
        configuration["Probation"] = new JsonObject { ["Duration"] = "60s" };
        var version = $"v{_version}";
        Note($"{version} by current.json, dies on probation");
        var hash = await Shop.DeployAsync(configuration);
        await Shop.WaitUntilServesAsync(version);
        await ExcuseAsync("container crash on probation", async () =>
        {
            foreach (var container in await Shop.ContainersOfAsync(hash))
                await _engine.KillContainerAsync(container.Id, "SIGKILL", CancellationToken.None);
            await SettleAsync(_good, _goodHash);
            Record.Withdraw(version);
        });
        await AssertEndAsync(hash, DeploymentEnd.RolledBack);
    }

    private async Task BreakAsync(string how, Action<JsonObject> spoil)
    {
        var configuration = await NextAsync();
        spoil(configuration);
        Note($"v{_version} by current.json, {how}");
        var hash = await Shop.DeployAsync(configuration);
        await DisturbAsync(async () =>
        {
            await AssertEndAsync(hash, DeploymentEnd.Failed);
            await SettleAsync(_good, _goodHash);
        });
    }

    private async Task SucceedAsync(string hash)
    {
        await SettleAsync($"v{_version}", hash);
        await AssertEndAsync(hash, DeploymentEnd.Succeeded);
    }

    // Its image is in the registry only.
    private async Task<JsonObject> NextAsync()
    {
        var version = $"v{++_version}";
        await _disturbances.Registry.WaitAsync();
        try
        {
            var image = await _lab.Samples.PushAsync(Shop.Application, version);
            await _engine.RemoveImageAsync(image, CancellationToken.None);
            return Configuration(version, image);
        }
        finally
        {
            _disturbances.Registry.Release();
        }
    }

    private static JsonObject Configuration(string version, string image) => new()
    {
        ["Revision"] = version,
        ["ContainerConfig"] = new JsonObject { ["Image"] = image, ["Env"] = new JsonArray("HEALTHY_AFTER_MS=200") },
        ["HealthCheckPath"] = "status",
        ["Probation"] = new JsonObject { ["Duration"] = "2s" },
        ["Drain"] = new JsonObject { ["Timeout"] = "10s", ["StreamTimeout"] = $"{StreamLimit.TotalSeconds}s" },
        ["Stop"] = new JsonObject { ["Timeout"] = "2s" },
    };

    private static JsonArray Environment(JsonObject configuration) => configuration["ContainerConfig"]!["Env"]!.AsArray();

    // An operator whose order isn't answered, for the Controller is down or the store is, gives it again.
    private Task InsistAsync(string order, string hash) => Shop.WaitUntilAsync($"{order} of {hash} is taken", async () => (await Shop.PostAsync($"{order}?wait=false", hash)).Status is 200 or 202);

    // --- what breaks ---------------------------------------------------------------------------------------------------------

    private async Task DisturbAsync(Func<Task> deployment)
    {
        var disturbance = _possible[_random.Next(_possible.Count)];
        Count($"disturbance: {disturbance}");
        var disturbing = _disturbances.PlayAsync(disturbance, Shop, _relay, RestartControllerAsync, _random);
        await Task.WhenAll(disturbing, deployment());
        await disturbing;
    }

    private Task RestartControllerAsync()
    {
        _logged += Shop.Controller.OutputLength;
        Shop.Start();
        return Task.CompletedTask;
    }

    private Task CrashContainerAsync() => ExcuseAsync("container crash", async () =>
    {
        await _engine.KillContainerAsync((await Shop.ServingContainerAsync()).Id, "SIGKILL", CancellationToken.None);
        await SettleAsync(_good, _goodHash);
    });

    private Task CrashProxyAsync() => ExcuseAsync("Proxy crash", async () =>
    {
        await Shop.KillProxyAsync();
        Proxy = Shop.Installation.StartProxy();
        await SettleAsync(_good, _goodHash);
    });

    private async Task ExcuseAsync(string reason, Func<Task> act)
    {
        Note(reason);
        Record.Excuse(reason);
        await act();
        await Eventually.PassAsync(Aftermath);
        Record.Excuse(null);
    }

    // --- what is expected ----------------------------------------------------------------------------------------------------

    private async Task SettleAsync(string version, string hash)
    {
        await Shop.SettleAsync(version, hash, SettleDeadline);
        (_good, _goodHash) = (version, hash);
    }

    // The Controller may be killed at this very moment, and is asked again then.
    private async Task AssertEndAsync(string hash, DeploymentEnd end)
    {
        var ended = await Eventually.FindAsync(
            $"the deployment of {hash} ends",
            async _ => (await Shop.StatusAsync()).Deployments.FirstOrDefault(d => d.Hash == hash && d.End is not null),
            SettleDeadline);
        Assert.Equal(end, ended.End);
    }

    /// <summary>The serving container and one for a rollback; the images of as many releases as are kept; one address each.</summary>
    private async Task AssertOnlyExpectedIsLeftAsync()
    {
        var containers = await Shop.ContainersAsync();
        Assert.Single(containers, c => c.Status == ContainerStatus.Running);
        Assert.InRange(containers.Count(c => c.Status != ContainerStatus.Running), 0, 1);
        using var counts = new EngineCounts(_lab.DockerSocket);
        Assert.InRange(await counts.ImagesOfAsync($"{_lab.Registry}/{Shop.Application}"), 1, MostImages);
        _log.Write($"{Shop.Application}: {_good} serves; {(Record.Failed == 0 ? "no request failed so far" : Record.Failures)}");
    }

    private void Note(string what)
    {
        _log.Write($"{Shop.Application}: {what}");
        Count(what.Contains(" by ", StringComparison.Ordinal) ? what[what.IndexOf("by ", StringComparison.Ordinal)..] : what);
    }

    private void Count(string what) => Done[what] = Done.GetValueOrDefault(what) + 1;
}

/// <summary>How an application is soaked.</summary>
/// <param name="Interval">From the begin of one deployment to that of the next, at least.</param>
/// <param name="Pause">Of each visitor between two exchanges.</param>
/// <param name="MayLoseProxy">Whether its Proxy is killed now and then.</param>
/// <param name="Disturbances">What may befall a deployment, each as likely as the others.</param>
internal sealed record SoakedShopPlan(TimeSpan Interval, TimeSpan Pause, bool MayLoseProxy, params IReadOnlyList<Disturbance> Disturbances);
