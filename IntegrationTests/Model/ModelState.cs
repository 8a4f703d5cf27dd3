using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>Everything at one instant: host, Proxy, Controller, and what is on its way between them. Immutable.</summary>
internal sealed record ModelState
{
    /// <summary>Each move takes a tick, so that no two things happen at the same time; waiting takes as long as it takes.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The journal that the Controller goes by.</summary>
    public required Journal Journal { get; init; }

    /// <summary>What a restarted Controller would read, where it isn't <see cref="Journal"/>: a write failed and was on the disk nevertheless.</summary>
    public Journal? OnDisk { get; init; }

    /// <summary>In the order of their creation.</summary>
    public ValueList<ModelContainer> Containers { get; init; } = [];

    /// <summary>Effects under way.</summary>
    public ValueList<Call> Calls { get; init; } = [];

    /// <summary>Calls that nobody waits for any more and that come true all the same, sooner or later.</summary>
    public ValueList<Call> Strays { get; init; } = [];

    public ValueList<EffectFailure> Failures { get; init; } = [];

    /// <summary>Absent: the Proxy has never heard of the application.</summary>
    public ModelProxy? Proxy { get; init; }

    public bool ProxyIsUp { get; init; } = true;

    public bool EngineIsUp { get; init; } = true;

    /// <summary>What <c>current.json</c> says.</summary>
    public CurrentDocument Current { get; init; } = new CurrentDocument.Absent();

    /// <summary>Changes of desired state so far: makes each ETag another one.</summary>
    public int Edition { get; init; }

    /// <summary>Images on the host, as a set of bits.</summary>
    public int ImagesHere { get; init; }

    /// <summary>Images removed in this life of the Controller, as a set of bits.</summary>
    public int ImagesRemoved { get; init; }

    /// <summary>Releases a container of which exited or failed its probes, as a set of bits: only these may be rejected.</summary>
    public int Blamed { get; init; }

    public Budget Budget { get; init; }

    public ModelContainer? Find(string id) => Containers.FirstOrDefault(c => c.Fact.Id == id);

    public ModelContainer? Named(string name) => Containers.FirstOrDefault(c => c.Fact.Ref.Name == name);

    public ModelState With(ModelContainer before, ModelContainer after) => this with { Containers = Containers.Replace(c => ReferenceEquals(c, before), _ => after) };

    /// <summary>Whether requests go to it.</summary>
    public bool IsSentTo(ModelContainer container) => Proxy is { } proxy && proxy.SendsTo(container.Fact.Id);

    /// <summary>Whether requests are answered.</summary>
    public bool IsServing => Proxy?.Target is { } target && Containers.Any(c => c.IsHealthyAs(target));
}

/// <summary>A container, as the engine and the prober see it, and as it is.</summary>
/// <param name="Fact">As it is seen.</param>
/// <param name="IsWell">Whether it answers its health check, while it runs.</param>
/// <param name="CutAt">Set while it finishes requests of its turn as the target: the Proxy cuts them then.</param>
internal sealed record ModelContainer(ContainerFact Fact, bool IsWell, DateTimeOffset? CutAt)
{
    public bool IsHealthy => Fact.State == ContainerState.Running && IsWell;

    public bool IsHealthyAs(Target target) =>
        IsHealthy && Fact.Id == target.ContainerId && Fact.StartedAt == target.StartedAt && Fact.Address == target.Address;

    /// <summary>Whether the prober has yet to see how it is.</summary>
    public bool IsToBeProbed => Fact.State == ContainerState.Running && Fact.Verdict != VerdictAfterProbe;

    /// <summary>What the prober says once it has seen it; an unready one took as many probes as it may.</summary>
    public Verdict VerdictAfterProbe => IsWell ? Verdicts.Ready : Fact.Verdict.EverReady ? Verdicts.Unready : Verdicts.NotYet;
}

/// <summary>The verdicts that there are.</summary>
internal static class Verdicts
{
    public static readonly Verdict Ready = new() { State = Readiness.Ready, EverReady = true, LastAnswer = "200 OK" };

    public static readonly Verdict Unready = new() { State = Readiness.Unready, EverReady = true, LastFailure = ProbeFailure.Unexpected, LastAnswer = "503 Service Unavailable" };

    public static readonly Verdict NotYet = new() { State = Readiness.Unverified, LastFailure = ProbeFailure.Unexpected, LastAnswer = "503 Service Unavailable" };

}

/// <summary>An effect on its way.</summary>
/// <param name="Effect">The effect.</param>
/// <param name="IsFenced">A stop whose fence the Proxy has acknowledged: the engine is asked next.</param>
internal sealed record Call(Effect Effect, bool IsFenced)
{
    public bool GoesToProxy => Effect is Effect.Route or Effect.Show or Effect.RaiseFence || (Effect is Effect.Stop && !IsFenced);
}

/// <summary>How much may still go wrong, or be wanted otherwise.</summary>
/// <param name="Faults">Calls that fail or go astray; containers that exit, turn unready or are removed by somebody.</param>
/// <param name="Crashes">Of the Controller, the Proxy, the engine, the host and the disk.</param>
/// <param name="Changes">Of <c>current.json</c>, and orders.</param>
internal readonly record struct Budget(int Faults, int Crashes, int Changes);
