using System.Collections.Immutable;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>What the Controller decides in a state: it observes, takes the steps without effect together, and ends with an effect or with waiting.</summary>
/// <param name="Journal">To be written before the effect begins.</param>
/// <param name="Steps">In the order in which they were taken.</param>
internal sealed record Round(Journal Journal, IReadOnlyList<Step> Steps)
{
    private const int MaxSteps = 64;

    private static readonly IReadOnlySet<string>[] RemovedImages =
        [.. Enumerable.Range(0, 8).Select(bits => Catalogue.Hashes.Where(h => (bits & (1 << Catalogue.IndexOf(h))) != 0).Select(h => Catalogue.References[h]).ToHashSet(StringComparer.Ordinal))];

    private static readonly IReadOnlyDictionary<string, EffectFailure> NoFailures = new Dictionary<string, EffectFailure>();

    private static readonly Fact<ValueList<ContainerFact>> NoEngine = new Fact<ValueList<ContainerFact>>.Unknown("The engine is away");

    private static readonly Fact<ApplicationState?> NoProxy = new Fact<ApplicationState?>.Unknown("The Proxy is away");

    private static readonly Traffic NoTraffic = new() { Requests = 0, TotalSeconds = 0, BytesIn = 0, BytesOut = 0 };

    /// <summary>The last step.</summary>
    public Step Step => Steps[^1];

    /// <summary>Whether there is nothing to do but wait.</summary>
    public bool IsQuiet => Steps.Count == 1 && Step.IsWait;

    /// <summary>Whether it would go on forever without an effect.</summary>
    public bool IsEndless => Steps.Count >= MaxSteps;

    /// <summary>Decides as the reconciler does.</summary>
    public static Round Of(ModelState state, ImmutableArray<Row> rows)
    {
        var seen = Observe(state);
        var journal = state.Journal;
        var steps = new List<Step>(4);
        do
        {
            steps.Add(Plan.Next(rows, new Situation(seen, journal, state.Now, Catalogue.Settings)));
            journal = steps[^1].Journal ?? journal;
        }
        while (steps[^1] is { Effect: null, Journal: not null } && steps.Count < MaxSteps);
        return new Round(journal, steps);
    }

    /// <summary>What is seen in a state.</summary>
    public static Observation Observe(ModelState state) => new()
    {
        Containers = state.EngineIsUp ? new Fact<ValueList<ContainerFact>>.Known([.. state.Containers.Select(c => c.Fact)]) : NoEngine,
        Proxy = state.ProxyIsUp ? new Fact<ApplicationState?>.Known(Answer(state)) : NoProxy,
        Current = state.Current,
        Configurations = Catalogue.Configurations,
        References = Catalogue.References,
        Images = Catalogue.Images(state.ImagesHere),
        Working = [.. state.Calls.Select(c => c.Effect)],
        Failures = state.Failures.Count == 0 ? NoFailures : state.Failures.ToDictionary(f => f.Effect.Key),
        RemovedImages = RemovedImages[state.ImagesRemoved],
    };

    private static ApplicationState? Answer(ModelState state) => state.Proxy is not { } proxy ? null : new ApplicationState
    {
        Application = Catalogue.Settings.Application,
        Installation = Catalogue.Settings.Installation,
        Generation = proxy.Generation,
        Fence = proxy.Fence,
        Target = proxy.Target,
        Standby = proxy.Standby is { } standby ? new StandbyState { Target = standby, Percent = 0 } : null,
        Maintenance = proxy.Snapshot?.Maintenance is not null,
        IsPaused = proxy.Snapshot is { IsPaused: true },
        Targets = [.. state.Containers.Where(c => c.CutAt is not null && c.Fact.StartedAt is not null).Select(InUse)],
        Total = NoTraffic,
    };

    private static TargetTraffic InUse(ModelContainer container) => new()
    {
        Target = new Target { Release = container.Fact.Ref.Hash, ContainerId = container.Fact.Id, StartedAt = container.Fact.StartedAt!.Value, Address = "", Probe = new HealthProbe() },
        DrainingSince = container.CutAt - Catalogue.LongestDrain,
        InFlight = 1,
        Streams = 0,
        Traffic = NoTraffic,
    };
}
