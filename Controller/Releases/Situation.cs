using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Observation, journal and time, with the questions that the rows ask of them.</summary>
internal sealed class Situation(Observation seen, Journal journal, DateTimeOffset now, PlanSettings settings)
{
    private DateTimeOffset? _lookAgainAt;
    private string? _waitReason;

    public Observation Seen { get; } = seen;

    public Journal Journal { get; } = journal;

    public DateTimeOffset Now { get; } = now;

    public PlanSettings Settings { get; } = settings;

    /// <summary>The containers; one whose stop was begun is never ready, whatever its probes still say.</summary>
    public ValueList<ContainerFact> Containers { get; } = journal.Stopping.Count == 0
        ? seen.Containers.ValueOrDefault
        : [.. seen.Containers.ValueOrDefault.Select(c => IsStopping(journal, c) ? c with { Verdict = Verdict.Unverified } : c)];

    public ApplicationState? Proxy => Seen.Proxy.ValueOrDefault;

    public bool ProxyIsKnown => Seen.Proxy is Fact<ApplicationState?>.Known;

    public ContainerFact? Active => Find(Journal.Active?.Ref);

    /// <summary>The decision in force: a pin, else what <c>current.json</c> says.</summary>
    public Decision? Decision => Journal.Decided;

    /// <summary>The release that should serve; absent where none is decided, or the decided one was rejected or given up.</summary>
    public string? Wanted => Decision is { GivenUp: false } decision && Journal.RejectionOf(decision.Hash) is null ? decision.Hash : null;

    /// <summary>Whether the wanted release doesn't serve yet.</summary>
    public bool NeedsRollout =>
        Wanted is { } hash && (Journal.Active is not { } active || active.Ref.Hash != hash || (Decision!.Force && active.Since < Decision.At));

    /// <summary>Whether the active release is down or unready by its own doing, or was started again and doesn't answer yet, so that a warm one should take over.</summary>
    public bool ActiveFailed => Journal.Active is not null && Active switch
    {
        null => true,
        { State: ContainerState.Exited } container => container.ExitedByItself,
        { State: ContainerState.Running } container => container.Verdict is { State: Readiness.Unready } or { State: Readiness.Unverified, LastFailure: not null },
        { State: ContainerState.Paused or ContainerState.Leaving } => true,
        _ => false,
    };

    /// <summary>Why and until when nothing is to be done; the first reason noted is the one shown.</summary>
    public (string Reason, DateTimeOffset? LookAgainAt) Wait => (_waitReason ?? Rest, _lookAgainAt);

    private string Rest => Decision switch
    {
        { GivenUp: true } decision => $"Release {decision.Hash[..12]} was given up, and what serves goes on; wunderproxy retry tries it again",
        { } decision when Journal.RejectionOf(decision.Hash) is not null => $"Release {decision.Hash[..12]} failed, and what serves goes on; wunderproxy retry tries it again",
        _ when Seen.Current is CurrentDocument.Invalid => "current.json can't be used, and what serves goes on",
        _ => "Everything is as it should be",
    };

    /// <summary>The first reason that was noted; absent: nothing waits.</summary>
    public string? NotedReason => _waitReason;

    public ContainerFact? Find(ContainerRef? container) =>
        container is null ? null : Containers.FirstOrDefault(c => c.Ref.Name == container.Name);

    /// <summary>Whether its stop was begun and hasn't ended.</summary>
    public bool IsStopping(ContainerFact container) => IsStopping(Journal, container);

    public bool IsTarget(ContainerFact container) =>
        Proxy?.Target is { } target && target.ContainerId == container.Id;

    /// <summary>Whether the Proxy sends requests to it, though it is not the target: it stands by.</summary>
    public bool IsShown(ContainerFact container) => Proxy?.Standby?.Target.ContainerId == container.Id;

    /// <summary>Whether the Proxy sends requests to this very run of the container.</summary>
    public bool IsServed(ContainerFact container) =>
        IsTarget(container) && Proxy!.Target!.StartedAt == container.StartedAt && Proxy.Target.Address == container.Address;

    /// <summary>Whether requests may still run on a container. Where the Proxy doesn't list it there are none; where the Proxy isn't known, nobody knows.</summary>
    public bool IsInUse(ContainerFact container) =>
        !ProxyIsKnown || (Proxy?.Targets.Any(t => t.Target.ContainerId == container.Id && t.InFlight + t.Streams > 0) ?? false);

    public bool IsBusy(string subject) => Seen.Working.Any(e => e.Subject == subject);

    /// <summary>The launch configuration of a release; notes the reason where it isn't known.</summary>
    public LaunchConfiguration? ConfigurationOf(string hash)
    {
        switch (Seen.Configurations.GetValueOrDefault(hash))
        {
            case Fact<LaunchConfiguration>.Known known:
                return known.Value;
            case Fact<LaunchConfiguration>.Unknown unknown:
                Note(unknown.Reason);
                return null;
            default:
                Note($"The configuration {hash} is being read");
                return null;
        }
    }

    /// <summary>The failures of effects on a subject that are not older than <paramref name="since"/>.</summary>
    public IEnumerable<EffectFailure> FailuresOf(string subject, DateTimeOffset since) =>
        Seen.Failures.Values.Where(f => f.Effect.Subject == subject && f.At >= since);

    /// <summary>The step for an effect, unless its subject is busy or it failed a short while ago: then it notes what is waited for.</summary>
    public Step? Try(string row, string reason, Effect effect, Journal? journal = null)
    {
        if (IsBusy(effect.Subject))
        {
            Note(reason);
            return null;
        }

        if (Seen.Failures.GetValueOrDefault(effect.Key) is { } failure && failure.RetryAt > Now)
        {
            Note($"{reason}. {failure.Message}", failure.RetryAt);
            return null;
        }

        return new Step(row, reason) { Effect = effect, Journal = journal };
    }

    /// <summary>Notes what is waited for, and until when at the latest.</summary>
    public void Note(string reason, DateTimeOffset? lookAgainAt = null)
    {
        _waitReason ??= reason;
        LookAgain(lookAgainAt);
    }

    public void LookAgain(DateTimeOffset? at) => _lookAgainAt = new[] { _lookAgainAt, at }.Min();

    private static bool IsStopping(Journal journal, ContainerFact container) => container.IsRunning && journal.Stopping.Any(run => Stops.IsRun(container, run));
}
