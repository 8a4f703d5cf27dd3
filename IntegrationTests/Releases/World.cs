using System.Text.Json;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>Plays engine, registry, Proxy, store and clock for the plan: every effect is carried out at once, unless a test says otherwise.</summary>
internal sealed class World
{
    public static readonly PlanSettings Settings = new() { Application = "shop", Installation = "here" };

    private readonly Dictionary<string, ContainerFact> _containers = [];
    private readonly Dictionary<string, EffectFailure> _failures = [];
    private readonly HashSet<string> _removedImages = [];
    private readonly Dictionary<string, ReleasePhase> _phases = [];
    private Journal _journal = new();
    private int _started;

    public DateTimeOffset Now { get; private set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Where a test sets it, lives of releases begin anew.</summary>
    public Journal Journal
    {
        get => _journal;
        set
        {
            _journal = value;
            _phases.Clear();
        }
    }

    public ApplicationState? Proxy { get; set; }

    public bool ProxyIsAway { get; set; }

    public bool EngineIsAway { get; set; }

    public CurrentDocument Current { get; set; } = new CurrentDocument.Absent();

    public HashSet<string> Images { get; } = [];

    public HashSet<string> MissingInRegistry { get; } = [];

    /// <summary>Releases whose containers don't answer their health check.</summary>
    public HashSet<string> Unhealthy { get; } = [];

    /// <summary>Releases whose host names another application of the Proxy has.</summary>
    public HashSet<string> TakenRoutes { get; } = [];

    /// <summary>Requests that run on a release's containers.</summary>
    public Dictionary<string, long> InFlight { get; } = [];

    /// <summary>How the requests of releases went since traffic moved to them.</summary>
    public Dictionary<string, TrafficSample> Traffic { get; } = [];

    public Dictionary<string, LaunchConfiguration> Configurations { get; } = [];

    public List<string> Calls { get; } = [];

    public List<Step> Steps { get; } = [];

    public IEnumerable<ContainerFact> Containers => _containers.Values;

    public string? Serving => Proxy?.Target?.Release is { } hash ? NameOf(hash) : null;

    /// <summary>The hash of a release by its one-letter name.</summary>
    public static string Hash(string name) => new(name[0], 64);

    public static string NameOf(string hash) => hash[..1];

    public void Publish(string name, Func<LaunchConfiguration, LaunchConfiguration>? change = null) =>
        Configurations[Hash(name)] = (change ?? (c => c))(new LaunchConfiguration { Revision = name, ContainerConfig = JsonElement.Parse("{}") });

    public void Deploy(string name, Func<LaunchConfiguration, LaunchConfiguration>? change = null)
    {
        Publish(name, change);
        Current = new CurrentDocument.Valid(Hash(name), $"etag-{name}-{Now.Ticks}");
        Settle();
    }

    public Deployment Launch(string name) => Order(new Order.Launch(Hash(name)));

    public Deployment Switch(string name, bool force = false) => Order(new Order.Switch(Hash(name), force));

    /// <summary>An order is accepted, and the Controller does nothing yet.</summary>
    public void Accept(Order order) => _journal = order.ApplyTo(Journal, Now, Settings).Journal;

    public Deployment Latest => Journal.Deployments[0];

    public ReleasePhase PhaseOf(string name, params Effect[] working) => ReleasePhases.PhaseOf(Situation(working), Hash(name));

    public void Advance(TimeSpan time)
    {
        Wait(time);
        Settle();
    }

    /// <summary>Time passes, and the Controller does nothing.</summary>
    public void Wait(TimeSpan time) => Now += time;

    public void Exit(string name, int code = 1, bool oom = false)
    {
        ExitOnly(name, code, oom);
        Settle();
    }

    /// <summary>A release exits, and the Controller does nothing yet.</summary>
    public void ExitOnly(string name, int code = 1, bool oom = false)
    {
        foreach (var container in _containers.Values.Where(c => c.Ref.Hash == Hash(name) && c.IsRunning).ToList())
            _containers[container.Ref.Name] = container with { State = ContainerState.Exited, ExitCode = code, OomKilled = oom, FinishedAt = Now + TimeSpan.FromTicks(++_started), ExitedByItself = true, Address = null };
    }

    public void BecomeUnready(string name)
    {
        Unhealthy.Add(Hash(name));
        Settle();
    }

    /// <summary>The engine is restarted, or the host: every container is stopped and nobody is to blame, not even for an exit from before.</summary>
    public void StopEverything()
    {
        foreach (var container in _containers.Values.ToList())
        {
            _containers[container.Ref.Name] = container.IsRunning
                ? container with { State = ContainerState.Exited, ExitCode = 255, FinishedAt = Now, ExitedByItself = false, Address = null }
                : container with { ExitedByItself = false };
        }
    }

    /// <summary>The latest container of a release.</summary>
    public ContainerFact ContainerOf(string name) => _containers.Values.Last(c => c.Ref.Hash == Hash(name));

    /// <summary>Something happens to the latest container of a release, and the Controller does nothing yet.</summary>
    public void Change(string name, Func<ContainerFact, ContainerFact> change) => Change(ContainerOf(name).Ref, change);

    /// <summary>A release stands by, and then a switch to it is decided; nothing was sent to the Proxy yet.</summary>
    /// <returns>What is to be sent.</returns>
    public Effect BeginSwitchTo(string name, Func<LaunchConfiguration, LaunchConfiguration>? change = null)
    {
        Publish(name, change);
        Launch(name);
        Accept(new Order.Switch(Hash(name), Force: false));
        while (Journal.Switch is null)
            Next();
        return Decide().Effect!;
    }

    /// <summary>What the plan decides; nothing comes of it.</summary>
    /// <param name="working">Effects that are under way.</param>
    public Step Decide(params Effect[] working) => Plan.Next(Plan.Rows, Situation(working));

    /// <summary>What becomes of each rule, if the plan decides now.</summary>
    public IReadOnlyList<RuleVerdict> Trace() => PlanTrace.Of(Observe(), Journal, Now, Settings);

    /// <summary>The Controller is started again: what its probes said is forgotten.</summary>
    public void ForgetVerdicts()
    {
        foreach (var container in _containers.Values.ToList())
            _containers[container.Ref.Name] = container with { Verdict = Verdict.Unverified };
    }

    /// <summary>Somebody else starts the containers of a release.</summary>
    public void StartContainersOf(string name)
    {
        foreach (var container in _containers.Values.Where(c => c.Ref.Hash == Hash(name)).ToList())
            Carry(new Effect.Start(container.Ref, container.Id));
    }

    public void RemoveContainersOf(string name)
    {
        foreach (var container in _containers.Values.Where(c => c.Ref.Hash == Hash(name)).ToList())
            _containers.Remove(container.Ref.Name);
    }

    /// <summary>An effect failed just now, and is not to be tried again for a second.</summary>
    public void Fail(Effect effect, Outcome outcome, FailureClass? failure = null, string message = "it was so") =>
        _failures[effect.Key] = new EffectFailure(effect, outcome, failure, message, Now, 1, Now + TimeSpan.FromSeconds(1));

    /// <summary>Goes on until there is nothing to do but wait.</summary>
    public void Settle()
    {
        for (var i = 0; i < 500; i++)
        {
            var step = Next();
            if (step.IsWait && !Probe())
                return;
        }

        Assert.Fail($"Still busy after 500 steps: {string.Join(", ", Steps.TakeLast(12).Select(s => s.Row))}");
    }

    public Step Next()
    {
        var step = Decide();
        Steps.Add(step);
        _journal = step.Journal ?? Journal;
        if (step.IsWait)
            FollowLives();
        if (step.Effect is { } effect)
        {
            FollowLives(effect);
            Act(effect);
        }

        Assert.True(_containers.Count <= Settings.MaxContainers, "more containers than may be");
        return step;
    }

    // Every release goes from phase to phase as the diagram has it, whenever the phases are published: as an effect begins, and while there is nothing to do.
    private void FollowLives(params Effect[] working)
    {
        foreach (var hash in EngineIsAway ? [] : Configurations.Keys.ToList())
        {
            var phase = ReleasePhases.PhaseOf(Situation(working), hash);
            if (_phases.TryGetValue(hash, out var before) && before != phase)
                Assert.True(PhaseGraph.Permits(before, phase), $"{NameOf(hash)} comes from {before} to {phase}");
            _phases[hash] = phase;
        }
    }

    public Observation Observe() => new()
    {
        Containers = EngineIsAway ? new Fact<ValueList<ContainerFact>>.Unknown("the engine is away") : new Fact<ValueList<ContainerFact>>.Known([.. _containers.Values]),
        Proxy = ProxyIsAway ? new Fact<ApplicationState?>.Unknown("the Proxy is away") : new Fact<ApplicationState?>.Known(Proxy),
        Current = Current,
        Configurations = Configurations.ToDictionary(c => c.Key, c => (Fact<LaunchConfiguration>)new Fact<LaunchConfiguration>.Known(c.Value)),
        References = Configurations.Keys.ToDictionary(hash => hash, hash => $"image-{NameOf(hash)}"),
        Images = Configurations.Keys.ToDictionary(hash => hash, hash => (Fact<string>)new Fact<string>.Known(Images.Contains($"image-{NameOf(hash)}") ? $"id-{NameOf(hash)}" : "")),
        Working = [],
        Failures = _failures,
        RemovedImages = _removedImages,
    };

    public Situation Situation(params Effect[] working) => new(Observe() with { Working = working }, Journal, Now, Settings);

    private Deployment Order(Order order)
    {
        var (journal, deployment) = order.ApplyTo(Journal, Now, Settings);
        _journal = journal;
        Settle();
        return Journal.Deployments.First(d => d.Id == deployment!.Id);
    }

    public void ProbeOnce() => Probe();

    private bool Probe()
    {
        var changed = false;
        foreach (var container in _containers.Values.Where(c => c.State == ContainerState.Running).ToList())
        {
            var isHealthy = !Unhealthy.Contains(container.Ref.Hash);
            var verdict = container.Verdict;
            var updated = isHealthy
                ? verdict with { State = Readiness.Ready, EverReady = true, LastFailure = null, LastAnswer = "200 OK" }
                : verdict with { State = verdict.EverReady ? Readiness.Unready : Readiness.Unverified, LastFailure = ProbeFailure.Unexpected, LastAnswer = "503 Service Unavailable" };
            changed |= updated != verdict;
            _containers[container.Ref.Name] = container with { Verdict = updated };
        }

        return changed;
    }

    private void Act(Effect effect)
    {
        Calls.Add(effect switch
        {
            Effect.Pull pull => $"pull {NameOf(pull.Hash)}",
            Effect.Create create => $"create {NameOf(create.Container.Hash)}",
            Effect.Start start => $"start {NameOf(start.Container.Hash)}",
            Effect.Stop stop => $"stop {NameOf(stop.Container.Hash)}",
            Effect.Remove remove => $"remove {NameOf(remove.Container.Hash)}",
            Effect.RemoveImage image => $"remove {image.Reference}",
            Effect.Route { Container: null } => "maintain",
            Effect.Route route => $"route {NameOf(route.Container!.Hash)}",
            Effect.Show { Snapshot.Standby: { } standby } => $"show {NameOf(standby.Target.Release)}",
            Effect.Show => "withdraw",
            Effect.RaiseFence => "fence",
            _ => effect.ToString()!,
        });
        var outcome = Carry(effect);
        if (outcome is null)
            _failures.Remove(effect.Key);
        else
            _failures[effect.Key] = outcome;
    }

    private EffectFailure? Carry(Effect effect)
    {
        switch (effect)
        {
            case Effect.Pull pull when MissingInRegistry.Contains(pull.Reference):
                return new EffectFailure(effect, Outcome.TerminalSpec, FailureClass.ImageMissing, $"no such image {pull.Reference}", Now, 1, Now + TimeSpan.FromSeconds(1));
            case Effect.Pull pull:
                Images.Add(pull.Reference);
                _removedImages.Remove(pull.Reference);
                break;
            case Effect.Create create:
                _containers.Add(create.Container.Name, new ContainerFact { Ref = create.Container, Id = $"id-{create.Container.Name}", State = ContainerState.Created, ImageId = create.ImageId });
                break;
            case Effect.Start start:
                Change(start.Container, c => c with { State = ContainerState.Running, StartedAt = Now + TimeSpan.FromTicks(++_started), FinishedAt = null, ExitCode = null, ExitedByItself = false, Address = "172.30.0.2:9292", Verdict = Verdict.Unverified });
                break;
            case Effect.Stop stop:
                return Stop(stop);
            case Effect.Remove remove:
                _containers.Remove(remove.Container.Name);
                break;
            case Effect.RemoveImage image:
                Images.Remove(image.Reference);
                _removedImages.Add(image.Reference);
                break;
            case Effect.Route route:
                return Apply(route, route.Snapshot);
            case Effect.Show show:
                return Apply(show, show.Snapshot);
            case Effect.RaiseFence fence:
                Proxy = Fenced(fence.Fence);
                break;
        }

        return null;
    }

    private EffectFailure? Stop(Effect.Stop stop)
    {
        Assert.NotEqual(stop.Id, Proxy?.Target?.ContainerId);
        Assert.NotEqual(stop.Id, Proxy?.Standby?.Target.ContainerId);
        Proxy = Fenced(stop.Fence);
        Change(stop.Container, c => c with { State = ContainerState.Exited, ExitCode = 143, FinishedAt = Now, ExitedByItself = true, Address = null });
        return null;
    }

    // An application of which the Proxy has never heard is known by its fence from then on.
    private ApplicationState Fenced(long fence) =>
        (Proxy ?? new ApplicationState { Application = Settings.Application, Installation = Settings.Installation, Generation = 0, Fence = 0, Total = NoTraffic }) with { Fence = fence };

    private EffectFailure? Apply(Effect route, ApplicationSnapshot snapshot)
    {
        Assert.True(snapshot.Generation > (Proxy?.Generation ?? 0), "the generation grows");
        var moves = !(snapshot.Target?.IsSameAs(Proxy?.Target) ?? Proxy?.Target is null);
        var shows = snapshot.Standby is { } shown && !shown.Target.IsSameAs(Proxy?.Standby?.Target);
        if (moves || shows)
            Assert.True(snapshot.Fence > (Proxy?.Fence ?? 0), "traffic moves with a newer fence only");
        if (moves && !_containers.Values.Any(c => c.Id == snapshot.Target!.ContainerId && c.State == ContainerState.Running && !Unhealthy.Contains(c.Ref.Hash)))
            return new EffectFailure(route, Outcome.Refused, null, "the Proxy didn't find it healthy", Now, 1, Now + TimeSpan.FromSeconds(1));
        if (TakenRoutes.Contains(snapshot.Target?.Release ?? ""))
            return new EffectFailure(route, Outcome.TerminalSpec, FailureClass.RouteTaken, "another application has the host", Now, 1, Now + TimeSpan.FromSeconds(1));
        Proxy = new ApplicationState
        {
            Routing = snapshot.Routing,
            Application = snapshot.Application,
            Installation = snapshot.Installation,
            Generation = snapshot.Generation,
            Fence = snapshot.Fence,
            Target = snapshot.Target,
            Standby = snapshot.Standby is { } standby ? new StandbyState { Target = standby.Target, Percent = standby.Canary?.Percent ?? 0 } : null,
            Maintenance = snapshot.Maintenance is not null,
            IsPaused = snapshot.IsPaused,
            Total = NoTraffic,
            Targets = [.. _containers.Values.Where(c => c.IsRunning).Select(TrafficOf)],
        };
        return null;
    }

    private TargetTraffic TrafficOf(ContainerFact container) => new()
    {
        Target = new Target { Release = container.Ref.Hash, ContainerId = container.Id, StartedAt = container.StartedAt!.Value, Address = container.Address!, Probe = new HealthProbe() },
        InFlight = InFlight.GetValueOrDefault(NameOf(container.Ref.Hash)),
        Streams = 0,
        Traffic = NoTraffic with { Latency = [.. Traffic.TryGetValue(NameOf(container.Ref.Hash), out var sample) ? WindowsOf(sample) : []] },
    };

    private static IEnumerable<LatencyWindow> WindowsOf(TrafficSample sample) =>
        new[] { 1, TrafficSample.LastMinutes, TrafficSample.JudgedMinutes }.Select(minutes => new LatencyWindow(minutes, sample.Requests, 0, 0, 0, 0, sample.Errors, sample.Slow) { ErrorDispersion = sample.ErrorDispersion, SlowDispersion = sample.SlowDispersion });

    private static Traffic NoTraffic { get; } = new() { Requests = 0, TotalSeconds = 0, BytesIn = 0, BytesOut = 0 };

    /// <summary>The requests on a release end.</summary>
    public void FinishRequests(string name)
    {
        InFlight.Remove(name);
        CountRequests();
        Settle();
    }

    /// <summary>The Proxy tells of the requests that there are now, and were.</summary>
    public void CountRequests() => Proxy = Proxy! with { Targets = [.. _containers.Values.Where(c => c.IsRunning).Select(TrafficOf)] };

    private void Change(ContainerRef container, Func<ContainerFact, ContainerFact> change) => _containers[container.Name] = change(_containers[container.Name]);
}
