using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Observing;

/// <summary>Puts together everything that the plan looks at.</summary>
internal sealed class Observer(
    EngineObserver engine,
    EngineSession session,
    ProxyObserver proxy,
    Prober prober,
    ConfigurationCache configurations,
    MissingConfigurations missing,
    CurrentWatcher current,
    ObserverSettings settings)
{
    /// <summary>Why the engine tells nothing though its events are followed; absent: it answers.</summary>
    public string? EngineSilence => engine.Silence;

    /// <summary>Observes once.</summary>
    /// <param name="journal">Says which releases matter.</param>
    /// <param name="works">Effects under way, failed, and what they brought about.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<(Observation Seen, ProxyStatus? Proxy)> ObserveAsync(Journal journal, EffectReport works, CancellationToken cancellationToken)
    {
        var document = current.Reading.Document;
        var hashes = HashesOf(journal, document);
        var known = hashes.ToDictionary(hash => hash, hash => ConfigurationOf(hash), StringComparer.Ordinal);
        var references = References(known);
        var asking = proxy.ObserveAsync(cancellationToken);
        var facts = await engine.ObserveAsync([.. NeedingImage(journal, references)], cancellationToken);
        var status = await asking;
        var containers = ContainersOf(facts);
        Probe(journal, facts, known);
        var seen = new Observation
        {
            Containers = containers,
            Proxy = ApplicationOf(status),
            Current = document,
            Configurations = known,
            References = references,
            Images = references.ToDictionary(r => r.Key, r => ImageOf(facts, r.Key, r.Value, works), StringComparer.Ordinal),
            Working = works.Working,
            Failures = works.Failures,
            RemovedImages = works.RemovedImages,
            MaintenancePage = works.MaintenancePage,
        };
        return (seen, status.ValueOrDefault);
    }

    private static IEnumerable<string> HashesOf(Journal journal, CurrentDocument document) => journal.Purposes.Select(p => p.Hash)
        .Concat(new[] { journal.Desired?.Hash, journal.Pin?.Hash, (document as CurrentDocument.Valid)?.Hash }.OfType<string>())
        .Concat(journal.Deployments.Where(d => d.End is null).Select(d => d.Hash))
        .Distinct(StringComparer.Ordinal);

    private Fact<LaunchConfiguration> ConfigurationOf(string hash) => configurations.Find(hash) is { } configuration
        ? new Fact<LaunchConfiguration>.Known(configuration)
        : new Fact<LaunchConfiguration>.Unknown(missing.Ask(hash));

    private Dictionary<string, string> References(IReadOnlyDictionary<string, Fact<LaunchConfiguration>> known) => known
        .Where(k => k.Value is Fact<LaunchConfiguration>.Known)
        .ToDictionary(k => k.Key, k => k.Value.ValueOrDefault!.ImageReference(settings.RegistryPort, settings.Application), StringComparer.Ordinal);

    // Only a container that is to be created needs its image looked for; a settled application asks the engine nothing.
    private IEnumerable<string> NeedingImage(Journal journal, Dictionary<string, string> references) =>
        journal.Candidates.Select(c => c.Ref).Concat(journal.Active is { } active ? [active.Ref] : Array.Empty<ContainerRef>())
            .Where(container => references.ContainsKey(container.Hash) && !engine.HasSeen(container.Name))
            .Select(container => references[container.Hash]).Distinct(StringComparer.Ordinal);

    private Fact<ValueList<ContainerFact>> ContainersOf(Fact<EngineFacts> facts) => facts switch
    {
        Fact<EngineFacts>.Known known => new Fact<ValueList<ContainerFact>>.Known(
            [.. known.Value.Containers.Select(c => ContainerFacts.Of(c.Container, c.Identity, session.Link.OpenSince ?? DateTimeOffset.MaxValue, prober.VerdictOf))]),
        Fact<EngineFacts>.Unknown unknown => new Fact<ValueList<ContainerFact>>.Unknown(unknown.Reason),
        _ => throw new InvalidOperationException("A fact is known or unknown."),
    };

    private Fact<ApplicationState?> ApplicationOf(Fact<ProxyStatus> status) => status switch
    {
        Fact<ProxyStatus>.Known known => new Fact<ApplicationState?>.Known(known.Value.Applications.FirstOrDefault(a => a.Application == settings.Application)),
        Fact<ProxyStatus>.Unknown unknown => new Fact<ApplicationState?>.Unknown(unknown.Reason),
        _ => throw new InvalidOperationException("A fact is known or unknown."),
    };

    // What was brought here for a release is what it is created from. An image without a tag of its own, or tagged latest, may be another one in the
    // registry by now: it is brought here for each candidate, whatever is here under its name.
    private static Fact<string> ImageOf(Fact<EngineFacts> facts, string hash, string reference, EffectReport works) => facts switch
    {
        _ when works.Pulled.TryGetValue(hash, out var pulled) => new Fact<string>.Known(pulled),
        Fact<EngineFacts>.Known known when known.Value.Images.TryGetValue(reference, out var image) =>
            new Fact<string>.Known(image is not null && !ImageReference.Parse(reference).IsMutable ? image.Id : ""),
        _ => new Fact<string>.Unknown("The engine has not been asked for the image yet"),
    };

    private void Probe(Journal journal, Fact<EngineFacts> facts, IReadOnlyDictionary<string, Fact<LaunchConfiguration>> known)
    {
        if (facts.ValueOrDefault is not { } engineFacts)
            return;
        var specs = new Dictionary<ProbeSubject, ProbeSpec>();
        var remembered = new HashSet<ProbeSubject>();
        foreach (var (container, identity) in engineFacts.Containers.Where(c => c.Container.StartedAt is not null))
        {
            var subject = new ProbeSubject(container.Id, container.StartedAt!.Value);
            remembered.Add(subject);
            if (ContainerFacts.AddressOf(container, identity) is { } address && known.GetValueOrDefault(identity.Hash)?.ValueOrDefault is { } configuration)
                specs[subject] = new ProbeSpec(address, container.Pid, configuration, IsTrusted(journal, subject));
        }

        prober.Watch(specs, remembered);
    }

    private static bool IsTrusted(Journal journal, ProbeSubject subject) =>
        journal.Active is { } active && active.VerifiedId == subject.ContainerId && active.VerifiedStart == subject.StartedAt;
}

/// <summary>What the observer takes for granted.</summary>
internal sealed record ObserverSettings(string Application, int RegistryPort);

/// <summary>What the effects under way and the ended ones say.</summary>
internal sealed record EffectReport
{
    public IReadOnlyList<Effect> Working { get; init; } = [];

    public IReadOnlyDictionary<string, EffectFailure> Failures { get; init; } = new Dictionary<string, EffectFailure>();

    /// <summary>Ids of the images that were brought here, by the release that they were brought for.</summary>
    public IReadOnlyDictionary<string, string> Pulled { get; init; } = new Dictionary<string, string>();

    public IReadOnlySet<string> RemovedImages { get; init; } = new HashSet<string>();

    public MaintenancePage? MaintenancePage { get; init; }
}
