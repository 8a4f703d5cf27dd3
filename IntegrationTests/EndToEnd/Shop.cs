using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>An application on the lab's host: its store, its real Controller and Proxy, and a client for each side.</summary>
internal sealed class Shop : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly LabHost _lab;
    private readonly IObjectStore _store;

    private Shop(LabHost lab, Installation installation, string bucket, IObjectStore store)
    {
        _lab = lab;
        _store = store;
        Bucket = bucket;
        Installation = installation;
        Client = new HttpClient { BaseAddress = Installation.Public, Timeout = TimeSpan.FromSeconds(30) };
        Api = new HttpClient { BaseAddress = Installation.Api, Timeout = TimeSpan.FromMinutes(2) };
    }

    public Installation Installation { get; }

    public string Application => Installation.Application;

    /// <summary>Bucket or directory of the store.</summary>
    public string Bucket { get; }

    /// <summary>Asks as a visitor.</summary>
    public HttpClient Client { get; }

    /// <summary>Asks as the operator.</summary>
    public HttpClient Api { get; }

    public RunningProcess Controller { get; private set; } = null!;

    public static Shop InDirectory(LabHost lab, string application) => InDirectory(lab, new Installation(lab, application));

    /// <summary>Shares the Proxy of another shop; its configurations claim the path <c>/{application}</c>.</summary>
    public static Shop Beside(LabHost lab, string application, Shop neighbour) => InDirectory(lab, new Installation(lab, application, neighbour.Installation));

    public static async Task<Shop> InS3Async(LabHost lab, string application)
    {
        var bucket = await S3Bucket.CreateAsync(lab, application);
        return new Shop(lab, new Installation(lab, application), bucket, S3Bucket.Open(lab, bucket));
    }

    /// <summary>Its bucket doesn't exist yet.</summary>
    public static Shop WithoutBucket(LabHost lab, string application)
    {
        var bucket = S3Bucket.NewName(application);
        return new Shop(lab, new Installation(lab, application), bucket, S3Bucket.Open(lab, bucket));
    }

    public void Start(params string[] options) => Controller = Installation.StartController(Bucket, "app", ["--poll", "1s", .. options]);

    /// <summary>A launch configuration of the sample application.</summary>
    /// <param name="version">Answered by the application; also the revision.</param>
    /// <param name="variables">Knobs of the sample application.</param>
    public async Task<JsonObject> ConfigurationAsync(string version, params string[] variables) => new()
    {
        ["Revision"] = version,
        ["ContainerConfig"] = new JsonObject { ["Image"] = await _lab.Samples.PushAsync("sample", version), ["Env"] = new JsonArray([.. variables.Select(v => JsonValue.Create(v))]) },
        ["HealthCheckPath"] = "status",
        ["Probation"] = new JsonObject { ["Duration"] = "2s" },
        ["Stop"] = new JsonObject { ["Timeout"] = "2s" },
    };

    /// <summary>The containers of a release, in any state.</summary>
    public Task<IReadOnlyList<EngineContainer>> ContainersOfAsync(string hash) => LabEngine.Open(_lab).ListContainersAsync(
        new Dictionary<string, string> { [ContainerLabels.Application] = Application, [ContainerLabels.Hash] = hash }, CancellationToken.None);

    /// <summary>Publishes a configuration.</summary>
    /// <returns>Its hash.</returns>
    public async Task<string> PublishAsync(JsonObject configuration)
    {
        var bytes = Encoding.UTF8.GetBytes(configuration.ToJsonString() + "\n");
        var hash = ContentHash.Of(bytes);
        await PutAsync($"container.{hash}.json", bytes);
        return hash;
    }

    /// <summary>Publishes a configuration and makes it the current one.</summary>
    /// <returns>Its hash.</returns>
    public async Task<string> DeployAsync(JsonObject configuration)
    {
        var hash = await PublishAsync(configuration);
        await MakeCurrentAsync(configuration);
        return hash;
    }

    /// <summary>Makes a configuration the current one.</summary>
    public Task MakeCurrentAsync(JsonObject configuration) => PutAsync("current.json", Encoding.UTF8.GetBytes(configuration.ToJsonString() + "\n"));

    /// <summary>Reads a document.</summary>
    public async Task<byte[]> GetAsync(string name) =>
        (await _store.GetAsync($"app/{name}", null, 1 << 20, CancellationToken.None)).Content.ToArray();

    /// <summary>The keys of all documents.</summary>
    public Task<IReadOnlyList<string>> KeysAsync() => _store.ListAsync("app/", 100, CancellationToken.None);

    public async Task PutAsync(string name, byte[] bytes) => await _store.PutAsync($"app/{name}", bytes, PutCondition.None, CancellationToken.None);

    public async Task<StatusDocument> StatusAsync() =>
        (await Api.GetFromJsonAsync("status", ContractsJson.Default.StatusDocument))!;

    /// <summary>Posts a text, as <c>curl -d</c> does.</summary>
    public async Task<(int Status, string Body)> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded");
        using var response = await Api.PostAsync(new Uri(path, UriKind.Relative), content);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Waits until visitors are answered by a version.</summary>
    public Task WaitUntilServesAsync(string version) => WaitUntilAsync($"{version} serves", async () => await AnswerAsync() == $"hello from {version}");

    /// <summary>Waits until the latest deployment of a release has ended.</summary>
    public async Task<DeploymentStatus> WaitForEndAsync(string hash)
    {
        DeploymentStatus? Ended(StatusDocument status) => status.Deployments.FirstOrDefault(d => d.Hash == hash && d.End is not null);
        await WaitUntilAsync($"the deployment of {hash} ends", async () => Ended(await StatusAsync()) is not null);
        return Ended(await StatusAsync())!;
    }

    /// <summary>Waits until a release is in a phase.</summary>
    public Task WaitForPhaseAsync(string hash, ReleasePhase phase) =>
        WaitUntilAsync($"{hash} is {phase}", async () => (await StatusAsync()).Releases.Any(r => r.Hash == hash && r.Phase == phase));

    /// <summary>Waits until the latest deployment of a release has entered a phase, or is over.</summary>
    public Task WaitUntilPhaseIsSeenAsync(string hash, ReleasePhase phase) => WaitUntilAsync(
        $"{hash} enters {phase}",
        async () => (await StatusAsync()).Deployments.Any(d => d.Hash == hash && (d.End is not null || d.Phases.Any(p => p.Phase >= phase))));

    /// <summary>Waits until something is so; the failure has what the Controller said until then.</summary>
    public async Task WaitUntilAsync(string what, Func<Task<bool>> look)
    {
        try
        {
            await Eventually.HoldsAsync(what, _ => look(), Deadline);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message} The Controller says:\n{Controller.Output}", late);
        }
    }

    /// <summary>Damages a slot of the state file, while no Controller runs.</summary>
    public void DamageSlot(string slot)
    {
        using var file = File.Open(Path.Combine(Installation.StateDirectory, $"journal.{slot}"), FileMode.Open);
        file.Position = 100;
        file.Write("damage"u8);
    }

    /// <summary>What the Controller says about a release.</summary>
    public async Task<ReleaseStatus> ServingAsync(string hash) => (await StatusAsync()).Releases.Single(r => r.Hash == hash);

    /// <summary>SIGKILL; returns once it is gone.</summary>
    public async Task KillControllerAsync()
    {
        Controller.Kill();
        await Controller.WaitForExitAsync(Deadline);
    }

    /// <summary>SIGKILL for the Proxy, whoever started it; returns once it is gone.</summary>
    /// <returns>The process id that it had.</returns>
    public async Task<int> KillProxyAsync()
    {
        using var proxy = System.Diagnostics.Process.GetProcessById(Installation.ProxyId() ?? throw new InvalidOperationException("No Proxy runs."));
        proxy.Kill();
        await Eventually.HoldsAsync("the Proxy is gone", () => Installation.ProxyId() != proxy.Id);
        return proxy.Id;
    }

    /// <summary>Every container of the application, in any state.</summary>
    public Task<IReadOnlyList<EngineContainer>> ContainersAsync() =>
        LabEngine.Open(_lab).ListContainersAsync(new Dictionary<string, string> { [ContainerLabels.Application] = Application }, CancellationToken.None);

    /// <summary>The one container that runs, and since when.</summary>
    public async Task<(string Id, DateTimeOffset? StartedAt)> ServingContainerAsync() =>
        (await ContainersAsync()).Where(c => c.Status == ContainerStatus.Running).Select(c => (c.Id, c.StartedAt)).Single();

    /// <summary>Waits until a release serves and nothing is left to do: every deployment has ended, and the other releases are retained, rejected or gone.</summary>
    /// <returns>The status then.</returns>
    public async Task<StatusDocument> SettleAsync(string version, string hash, TimeSpan deadline)
    {
        StatusDocument? last = null;
        try
        {
            await Eventually.HoldsAsync(
                $"{version} of {Application} has settled",
                async token => HasSettled(last = await StatusAsync(), hash) && await Client.GetStringAsync("", token) == $"hello from {version}",
                deadline);
            return last!;
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{JsonSerializer.Serialize(last, ContractsJson.Default.StatusDocument)}\nThe Controller says:\n{Controller.Output}", late);
        }
    }

    private static bool HasSettled(StatusDocument status, string hash) =>
        status.Active == hash && status.Plan is { Row: "Settled", Working: [] } && status.Deployments.All(d => d.End is not null)
        && status.Releases.All(release => release.Hash == hash
            ? release.Phase == ReleasePhase.Active
            : release is { Phase: ReleasePhase.Retained } or { Phase: ReleasePhase.Rejected or ReleasePhase.Removed, ContainerId: null });

    /// <summary>Waits until a condition has a status.</summary>
    public Task<Condition> WaitForConditionAsync(string type, bool? status) => Eventually.FindAsync(
        $"{type} is {status}; the Controller says:\n{Controller.Output}",
        async _ => (await StatusAsync()).Conditions.FirstOrDefault(c => c.Type == type && c.Status == status),
        Deadline);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Api.Dispose();
        await Installation.DisposeAsync();
        await RemoveContainersAsync();
    }

    private static Shop InDirectory(LabHost lab, Installation installation)
    {
        var directory = lab.NewDirectory($"{installation.Application}-store");
        return new Shop(lab, installation, directory, ObjectStore.Open(directory, new StoreOptions { CreateDirectory = true }));
    }

    private async Task RemoveContainersAsync()
    {
        var engine = LabEngine.Open(_lab);
        foreach (var container in await ContainersAsync())
        {
            await engine.KillContainerAsync(container.Id, "SIGKILL", CancellationToken.None);
            await engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        }
    }

    private async Task<string> AnswerAsync()
    {
        try
        {
            return await Client.GetStringAsync("");
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }
}
