using System.Reflection;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;
using Xunit.v3;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A shop that serves a mixed load from begin to end, while the faults of a test class are played on it one after the other.</summary>
public class FaultedShop(LabHost lab) : IAsyncLifetime
{
    // Of the active release, and of those before it that are kept for a rollback.
    private const int KeptImages = 4;

    /// <summary>From the crash of a Controller until it reconciles again.</summary>
    internal static readonly TimeSpan LongestBlindness = TimeSpan.FromSeconds(1);

    /// <summary>From a fault in a deployment, or a decision that replaces it, until the release serves.</summary>
    internal static readonly TimeSpan LongestDeployment = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan StreamLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StreamSlack = TimeSpan.FromMilliseconds(900);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Prompt = TimeSpan.FromSeconds(1);

    private readonly List<string> _served = [];
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private int _version = -1;
    private Orphans _orphans = null!;
    private SocketRelay? _relay;
    private MixedLoad? _load;

    internal LabHost Lab => lab;

    internal Shop Shop { get; private set; } = null!;

    /// <summary>Stands between Controller and engine.</summary>
    internal SocketRelay Relay => _relay!;

    internal MixedLoad Load => _load!;

    internal IContainerEngine Engine { get; private set; } = null!;

    /// <summary>The release that has to serve in the end.</summary>
    internal Release Good { get; private set; } = new("", "");

    /// <summary>Further options of its Controller.</summary>
    internal string[] Options { get; set; } = [];

    public virtual async ValueTask InitializeAsync()
    {
        Engine = LabEngine.Open(lab);
        Shop = await OpenAsync(TestContext.Current.TestClass!.TestClassSimpleName.ToLowerInvariant());
        await Orphans.RemoveLeftOversAsync(lab, Shop);
        _relay = SocketRelay.Start(Path.Combine(Shop.Installation.Root, "engine.sock"), lab.DockerSocket);
        Shop.Installation.Engine = _relay.Address;
        Shop.Installation.StartProxy();
        StartController();
        var first = await DeployAsync(await NextAsync());
        await Shop.WaitUntilServesAsync(first.Version);
        _load = MixedLoad.Start(Shop.Installation.Public, StreamLimit, pause: Pause, slack: StreamSlack);
        await BecomesActiveAsync(first);
        _orphans = await Orphans.WatchAsync(lab, Shop);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_load is not null)
            await _load.DisposeAsync();
        await Shop.DisposeAsync();
        if (_relay is not null)
            await _relay.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    // --- plays ---------------------------------------------------------------------------------------------------------------

    /// <summary>Plays a fault: no request may fail but for its excuse, and in the end the good release serves, everything is settled and nothing is left over.</summary>
    internal async Task PlayAsync(Func<Play, Task> act)
    {
        var play = new Play(((IXunitTestMethod)TestContext.Current.TestMethod!).Method.GetCustomAttribute<FaultAttribute>()!);
        var (ended, failed) = (Load.Record.Ended, Failed);
        string? failure = null;
        Load.Record.Excuse(play.Fault.Excuse);
        try
        {
            await act(play);
            await EndAsync(play, failed);
        }
        catch (Exception exception)
        {
            failure = string.Join(' ', exception.Message.Split('\n').Take(3));
            await RepairAsync();
            throw;
        }
        finally
        {
            Load.Record.Excuse(null);
            FaultReport.Add(FaultRow.Of(play, failure, Load.Record.Ended - ended, Failed - failed));
        }
    }

    private int Failed => Load.Record.Failed + Load.Record.Excused.Values.Sum();

    private async Task EndAsync(Play play, int failed)
    {
        // Everybody has been answered once more then, so that whatever failed is counted.
        await Load.RoundAsync();
        var status = await SettleAsync();
        var kept = status.Releases.Where(r => r.ContainerId is not null).Select(r => r.Revision);
        await _orphans.AssertNoneAsync(status, _served.TakeLast(KeptImages).Concat(kept).ToHashSet(StringComparer.Ordinal));
        Assert.True(play.Fault.Excuse is not null || Failed == failed, Load.Record.Failures);
        Assert.All(
            status.Deployments.Where(d => d.End is DeploymentEnd.Failed or DeploymentEnd.RolledBack),
            d => Assert.True(_refused.Contains(d.Hash), $"{d.Revision} was refused: {d.Message}"));
    }

    /// <summary>Waits until the good release serves and nothing is left to do.</summary>
    internal Task<StatusDocument> SettleAsync() => Shop.SettleAsync(Good.Version, Good.Hash, SettleDeadline);

    // Whatever failed in one play shall not fail in the next one, too: what is there then is taken as it is.
    private async Task RepairAsync()
    {
        Relay.GoOn();
        Relay.Delay = TimeSpan.Zero;
        await Lab.RestoreAsync();
        foreach (var fault in Enum.GetValues<S3Fault>())
            await Lab.EndS3FaultAsync(fault);
        await Lab.ResumeDockerdAsync();
        if (Shop.Controller.HasExited)
            StartController();
        if (Shop.Installation.ProxyId() is null)
            Shop.Installation.StartProxy();
        await Eventually.HoldsAsync("something serves", async _ => (Good = Serving(await Shop.StatusAsync())) is not null, SettleDeadline);
        await SettleAsync();
        _served.Add(Good.Version);
        _refused.UnionWith((await Shop.StatusAsync()).Deployments.Select(d => d.Hash));
        await TakeAsItIsAsync();
    }

    /// <summary>What is in the engine now is no orphan.</summary>
    internal async Task TakeAsItIsAsync() => _orphans = await Orphans.WatchAsync(Lab, Shop);

    private static Release Serving(StatusDocument status) =>
        status.Plan is { Row: "Settled", Working: [] } && status.Deployments.All(d => d.End is not null) && status.Releases.FirstOrDefault(r => r.Hash == status.Active) is { } active
            ? new Release(active.Revision, active.Hash)
            : null!;

    // --- releases ------------------------------------------------------------------------------------------------------------

    /// <summary>The configuration of the next version, whose image is in the registry only; its deployment is quick.</summary>
    /// <param name="variables">Knobs of the sample application.</param>
    internal async Task<JsonObject> NextAsync(params string[] variables)
    {
        var version = $"v{++_version}";
        var image = await Lab.Samples.PushAsync(Shop.Application, version);
        await Engine.RemoveImageAsync(image, CancellationToken.None);
        return new JsonObject
        {
            ["Revision"] = version,
            ["ContainerConfig"] = new JsonObject { ["Image"] = image, ["Env"] = new JsonArray([.. variables.Select(v => JsonValue.Create(v))]) },
            ["HealthCheckPath"] = "status",
            ["HealthCheck"] = new JsonObject { ["Interval"] = "100ms", ["Timeout"] = "1s", ["Deadline"] = "5s" },
            ["Probation"] = new JsonObject { ["Duration"] = "300ms" },
            ["Drain"] = new JsonObject { ["Timeout"] = "5s", ["StreamTimeout"] = $"{StreamLimit.TotalSeconds}s" },
            ["Stop"] = new JsonObject { ["Timeout"] = "2s" },
        };
    }

    /// <summary>The same, whose image comes through a relay before the registry.</summary>
    internal async Task<JsonObject> NextFromAsync(HttpRelay registry)
    {
        var configuration = await NextAsync();
        var container = configuration["ContainerConfig"]!;
        container["Image"] = ((string)container["Image"]!).Replace(Lab.Registry, $"localhost:{registry.Address.Port}", StringComparison.Ordinal);
        return configuration;
    }

    /// <summary>Publishes a configuration as the current one.</summary>
    internal async Task<Release> DeployAsync(JsonObject configuration) => new((string)configuration["Revision"]!, await Shop.DeployAsync(configuration));

    /// <summary>Publishes a configuration for an order to come.</summary>
    internal async Task<Release> PublishAsync(JsonObject configuration) => new((string)configuration["Revision"]!, await Shop.PublishAsync(configuration));

    /// <summary>Waits until a deployment has succeeded and its release serves; it is the good one from then on.</summary>
    internal async Task BecomesActiveAsync(Release release)
    {
        Assert.Equal(DeploymentEnd.Succeeded, (await EndOfAsync(release)).End);
        await Shop.WaitUntilServesAsync(release.Version);
        Good = release;
        Serve(release);
    }

    /// <summary>A release serves, or may have: its image may be kept.</summary>
    internal void Serve(Release release)
    {
        _served.Remove(release.Version);
        _served.Add(release.Version);
    }

    /// <summary>Waits until a release is refused for what is wrong with itself.</summary>
    internal async Task<FailureEvidence> RefusedAsync(Release release, FailureClass failure)
    {
        _refused.Add(release.Hash);
        var end = await EndOfAsync(release);
        Assert.Equal((DeploymentEnd.Failed, failure), (end.End, end.Failure?.Class));
        return end.Failure!;
    }

    /// <summary>Waits until the latest deployment of a release has ended; the Controller may be killed meanwhile.</summary>
    internal Task<DeploymentStatus> EndOfAsync(Release release) => Eventually.FindAsync(
        $"the deployment of {release.Version} ends",
        async _ => (await Shop.StatusAsync()).Deployments.FirstOrDefault(d => d.Hash == release.Hash) is { End: not null } ended ? ended : null,
        SettleDeadline);

    /// <summary>Waits until a release that serves on probation is taken back for what is wrong with itself; the good one serves again.</summary>
    internal async Task<FailureEvidence> RolledBackAsync(Release release, FailureClass failure)
    {
        _refused.Add(release.Hash);
        await Eventually.HoldsAsync("it is rolled back", async _ => (await EndOfAsync(release)).End == DeploymentEnd.RolledBack, SettleDeadline);
        var end = await EndOfAsync(release);
        Assert.Equal(failure, end.Failure?.Class);
        Serve(release);
        Serve(Good);
        await SettleAsync();
        return end.Failure!;
    }

    /// <summary>The status, which has to be there within a second whatever hangs.</summary>
    internal async Task<StatusDocument> StatusAsync()
    {
        var began = TimeProvider.System.GetTimestamp();
        var status = await Shop.StatusAsync();
        var took = TimeProvider.System.GetElapsedTime(began);
        Assert.True(took < Prompt, $"the API answered after {Play.Seconds(took)}");
        return status;
    }

    /// <summary>Waits until the status says something: in a condition, in a deployment that runs, or of what it does.</summary>
    /// <returns>The end of the sentence that says it.</returns>
    internal async Task<string> SaysAsync(string text, TimeSpan deadline)
    {
        IReadOnlyList<string> sentences = [];
        try
        {
            var found = await Eventually.FindAsync(
                $"the status says '{text}'",
                async _ => (sentences = Sentences(await StatusAsync())).FirstOrDefault(s => s.Contains(text, StringComparison.OrdinalIgnoreCase)),
                deadline);
            return $"status says '{found.Split(" failed: ")[^1].Split(" says ")[^1].Split(" What ")[0].Trim('\'', '.', ' ')}'";
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{string.Join('\n', sentences)}\nThe Controller says:\n{Shop.Controller.Output}", late);
        }
    }

    private static IReadOnlyList<string> Sentences(StatusDocument status) =>
    [
        .. status.Conditions.Where(c => c.Status != true).Select(c => c.Message),
        .. status.Deployments.Where(d => d.End is null).Select(d => d.Message ?? ""),
        .. status.Plan.Working, status.Plan.Reason,
    ];

    // --- processes -----------------------------------------------------------------------------------------------------------

    internal void StartController() => Shop.Start(Options);

    /// <summary>What a service manager does after a crash.</summary>
    internal async Task CrashControllerAsync()
    {
        await Shop.KillControllerAsync();
        StartController();
    }

    /// <summary>Acts while a relay stands between Controller and Proxy, and takes it away again.</summary>
    internal async Task PlayWithControlRelayAsync(Func<SocketRelay, Task> act)
    {
        var path = Path.Combine(Shop.Installation.Root, "control.sock");
        await using var relay = SocketRelay.Start(path, Shop.Installation.ControlSocket);
        Shop.Installation.Control = path;
        await CrashControllerAsync();
        await ReconcilesAsync();
        try
        {
            await act(relay);
        }
        finally
        {
            Shop.Installation.Control = Shop.Installation.ControlSocket;
            await CrashControllerAsync();
        }
    }

    /// <summary>Waits until the Controller knows what is so, and has decided what to do.</summary>
    internal Task ReconcilesAsync() => Eventually.HoldsAsync(
        "the Controller reconciles", async _ => await Shop.StatusAsync() is { DockerState: "Ok", Plan.Row: not "Starting" and not "Blind", Active: not null }, SettleDeadline);

    /// <summary>The store of this shop.</summary>
    internal virtual Task<Shop> OpenAsync(string application) => Task.FromResult(Shop.InDirectory(Lab, application));
}

/// <summary>A release of a <see cref="FaultedShop"/>.</summary>
/// <param name="Version">What it answers.</param>
/// <param name="Hash">Of its configuration.</param>
internal sealed record Release(string Version, string Hash);
