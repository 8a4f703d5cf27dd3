using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Rows that bring releases on their way to standby or to traffic, or reject them.</summary>
internal static class CandidateRows
{
    public static IReadOnlyList<Row> All { get; } =
    [
        new("Discard", "a container has no purpose any more", "it is stopped, once the Proxy has acknowledged a newer fence; then it is removed", Discard),
        new("Supersede", "a release on its way to traffic is not the wanted one any more, or a standby's time is up", "it loses its purpose", Supersede),
        new("Choose", "the wanted release doesn't serve and isn't on its way", "it becomes a candidate: in the container that it has, else in a new one", Choose),
        new("Reject", "the engine, the registry or the Proxy refused what the configuration asks for", "the release is rejected", Reject),
        new("Rename", "the name or the address of a new container is taken, or its stop was begun before it was wanted again", "the candidate gets another container", Rename),
        new("Provide", "a candidate has no container", "its image is brought here and the container is created", Provide),
        new("CountExit", "a candidate exited by itself", "never ready before: it is rejected; else it is tried again, three times at most", CountExit),
        new("Start", "a candidate's container doesn't run", "it is started", Start),
        new("Unhealthy", "a candidate isn't healthy at its deadline", "it is rejected", Unhealthy),
        new("Switch", "a candidate that is to have traffic is ready", "the switch is written down before it begins", Switch),
    ];

    private static Step? Discard(Situation s)
    {
        var purposes = s.Journal.Purposes.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var isSafe = s.Journal.Active is null || (s.Active is { IsReady: true } active && s.IsServed(active));
        return s.Containers
            .Where(c => !purposes.Contains(c.Ref.Name) && c.State != ContainerState.Leaving && !s.IsTarget(c) && !s.IsShown(c))
            .Where(c => !c.IsReady || isSafe)
            .Select(c => Discard(s, c))
            .FirstOrDefault(step => step is not null);
    }

    // Where the Proxy isn't known, the container may be its target; and the Proxy itself cuts what still runs on it at the drain deadline.
    private static Step? Discard(Situation s, ContainerFact container)
    {
        var reason = $"{container.Ref.Name} has no purpose any more";
        if (!s.ProxyIsKnown)
            s.Note($"{reason}; it goes once the Proxy has answered");
        else if (container.IsRunning && s.IsInUse(container))
            s.Note($"{reason} and finishes its requests", s.Now + s.Settings.DrainPoll);
        else
            return container.IsRunning ? Stops.Step(s, "Discard", container, reason, mustBeIdle: true) : s.Try("Discard", reason, new Effect.Remove(container.Ref, container.Id));
        return null;
    }

    private static Step? Supersede(Situation s)
    {
        foreach (var candidate in s.Journal.Candidates.Where(c => s.Journal.Switch?.To != c.Ref))
        {
            if (candidate.Goal == CandidateGoal.Active && (candidate.Ref.Hash != s.Wanted || !s.NeedsRollout))
                return new Step("Supersede", $"{candidate.Ref.Name} is not wanted any more") { Journal = s.Journal.Without(candidate.Ref) };
            if (candidate.Goal != CandidateGoal.Standby)
                continue;
            if (s.Now >= candidate.Since + s.Settings.StandbyLimit)
                return new Step("Supersede", $"{candidate.Ref.Name} stood by for long enough") { Journal = s.Journal.Without(candidate.Ref) };
            s.LookAgain(candidate.Since + s.Settings.StandbyLimit);
        }

        return null;
    }

    private static Step? Choose(Situation s) =>
        s.NeedsRollout && s.Journal.Switch is null && s.Journal.CandidateOf(s.Wanted!) is not { Goal: CandidateGoal.Active }
            ? new Step("Choose", $"Release {s.Wanted![..12]} is wanted") { Journal = Chosen(s) }
            : null;

    private static Journal Chosen(Situation s) => s.Journal.Active?.Ref.Hash == s.Wanted
        ? s.Journal.WithNewContainer(s.Wanted!, CandidateGoal.Active, s.Now, s.Settings.Application)
        : s.Journal.WithCandidate(s.Wanted!, CandidateGoal.Active, s.Now, s.Settings.Application);

    private static Step? Reject(Situation s) => EachCandidate(s, (candidate, _, container) =>
    {
        var image = $"image {s.Seen.References.GetValueOrDefault(candidate.Ref.Hash)}";
        var routing = s.FailuresOf("proxy", candidate.Since).Where(f => f.Effect is Effect.Route route && route.Container == candidate.Ref);
        var failures = s.FailuresOf(candidate.Ref.Name, candidate.Since).Concat(s.FailuresOf(image, candidate.Since)).Concat(routing);
        var failure = failures.FirstOrDefault(f => f.Outcome == Outcome.TerminalSpec);
        return failure is null ? null : RejectStep(s, "Reject", candidate, Evidence.OfRefusal(s, candidate.Ref.Hash, failure), container);
    });

    private static Step? Rename(Situation s) => EachCandidate(s, (candidate, _, container) =>
    {
        var reason = s.FailuresOf(candidate.Ref.Name, candidate.Since).FirstOrDefault(Provisioning.IsTaken)?.Message
            ?? (container is not null && MayBeStopped(s, container) ? $"{candidate.Ref.Name} is being stopped" : null);
        return reason is null ? null : new Step("Rename", reason) { Journal = s.Journal.WithFreshContainer(candidate, s.Settings.Application) };
    });

    // A stop without a known end may still come, and would hit the next run of the same container.
    private static bool MayBeStopped(Situation s, ContainerFact container) => s.IsStopping(container)
        || s.Seen.Working.Any(e => e is Effect.Stop stop && stop.Id == container.Id)
        || s.Seen.Failures.Values.Any(f => f is { Outcome: Outcome.Ambiguous, Effect: Effect.Stop stop } && stop.Id == container.Id);

    private static Step? Provide(Situation s) => EachCandidate(s, (candidate, _, container) =>
        container is null ? Provisioning.Step(s, "Provide", candidate.Ref, $"{candidate.Ref.Name} has no container") : null);

    private static Step? CountExit(Situation s) => EachCandidate(s, (candidate, _, container) =>
    {
        if (container is not { ExitedByItself: true, FinishedAt: { } end } || container.StartedAt < candidate.Since)
            return null;
        var hash = candidate.Ref.Hash;
        var attempts = s.Journal.AttemptsOf(hash);
        if (attempts?.LastExit == end)
            return null;
        if (!container.Verdict.EverReady)
            return RejectStep(s, "CountExit", candidate, Evidence.OfExit(s, hash, container, "before it was healthy"), container);
        var count = (attempts?.Count ?? 0) + 1;
        if (count >= s.Settings.MaxAttempts)
            return RejectStep(s, "CountExit", candidate, Evidence.OfCrashLoop(s, hash, container, count), container);
        var counted = new Attempts(hash, count, end, s.Now + Backoff.OfAttempt(count));
        return new Step("CountExit", $"{candidate.Ref.Name} exited with code {container.ExitCode}")
        {
            Journal = s.Journal with { Attempts = [.. s.Journal.Attempts.Where(a => a.Hash != hash), counted] },
        };
    });

    private static Step? Start(Situation s) => EachCandidate(s, (candidate, _, container) =>
    {
        if (container is not { State: ContainerState.Created or ContainerState.Exited })
            return null;
        if (s.Journal.AttemptsOf(candidate.Ref.Hash) is { } attempts && s.Now < attempts.BackoffUntil)
        {
            s.Note($"{candidate.Ref.Name} exited {attempts.Count} times; it is started again", attempts.BackoffUntil);
            return null;
        }

        return s.Try("Start", $"{candidate.Ref.Name} doesn't run", new Effect.Start(candidate.Ref, container.Id));
    });

    private static Step? Unhealthy(Situation s) => EachCandidate(s, (candidate, configuration, container) =>
    {
        if (container is not { State: ContainerState.Running, StartedAt: { } start } || container.IsReady)
            return null;
        if (candidate.Goal == CandidateGoal.Standby && container.Verdict.EverReady)
            return null;
        if (container is { Address: not null, Verdict.LastFailure: null })
        {
            s.Note($"{candidate.Ref.Name} is being probed");
            return null;
        }

        // A run that the engine dates long after now was started before the clock was set back. Times that were set back by less than is noticed haven't moved.
        var began = start > s.Now + ClockWatch.Tolerance || start < candidate.Since ? candidate.Since : start;
        var deadline = began + configuration.HealthCheck.Deadline;
        if (s.Now >= deadline)
            return RejectStep(s, "Unhealthy", candidate, Evidence.OfUnhealthy(s, candidate.Ref.Hash, container, configuration, $"was not healthy within {Contracts.Duration.Format(configuration.HealthCheck.Deadline)}"), container);
        s.Note($"{candidate.Ref.Name} isn't healthy yet ({container.Verdict.LastAnswer ?? "no probe has ended"})", deadline);
        return null;
    });

    private static Step? Switch(Situation s)
    {
        if (s.Journal.Switch is not null)
            return null;
        var ready = s.Journal.Candidates.FirstOrDefault(c => c.Goal == CandidateGoal.Active && s.Find(c.Ref) is { IsReady: true } && !s.IsBusy(c.Ref.Name));
        if (ready is null)
            return null;
        if (!s.ProxyIsKnown)
        {
            s.Note("The Proxy isn't reached");
            return null;
        }

        if (s.FailuresOf("proxy", ready.Since).FirstOrDefault(f => f.Effect is Effect.Route && f.RetryAt > s.Now) is { } refused)
        {
            s.Note(refused.Message, refused.RetryAt);
            return null;
        }

        return Switches.Decide(s, "Switch", ready.Ref, $"{ready.Ref.Name} is ready");
    }

    private static Step? EachCandidate(Situation s, Func<Candidate, LaunchConfiguration, ContainerFact?, Step?> row)
    {
        foreach (var candidate in s.Journal.Candidates.Where(c => s.Journal.Switch?.To != c.Ref).OrderByDescending(c => c.Goal))
        {
            if (s.ConfigurationOf(candidate.Ref.Hash) is { } configuration && row(candidate, configuration, s.Find(candidate.Ref)) is { } step)
                return step;
        }

        return null;
    }

    private static Step RejectStep(Situation s, string row, Candidate candidate, Contracts.Admin.FailureEvidence evidence, ContainerFact? container) => new(row, evidence.Message)
    {
        Journal = s.Journal.WithRejection(candidate.Ref.Hash, evidence),
        EvidenceOf = container is null ? null : (candidate.Ref.Hash, container.Id),
    };
}
