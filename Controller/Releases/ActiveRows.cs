using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Rows that keep the active release serving.</summary>
internal static class ActiveRows
{
    public static IReadOnlyList<Row> All { get; } =
    [
        new("Serve", "the active release is ready, and the Proxy doesn't serve by it", "the Proxy is sent its snapshot", Serve),
        new("Maintain", "maintenance or a pause is to begin or to end", "the Proxy is sent its snapshot with the target that it has", Maintain),
        new("FailBack", "the active release failed on probation, by itself or in how its requests go, and the former one is warm and ready", "traffic goes back without starting anything; the failed one is rejected", FailBack),
        new("LastResort", "the active release failed, and a container without purpose is ready", "a switch to it is decided", LastResort),
        new("Rehouse", "the name or the address of the active container is taken", "the active release gets another container", Rehouse),
        new("Recreate", "the active release has no container", "its image is brought here and the container is created", Recreate),
        new("CountCrash", "the active container exited by itself, and the exit isn't counted", "the crash is counted; the next start is put off for longer", CountCrash),
        new("Restart", "the active container doesn't run, and its back-off is over", "it is started", Restart),
        new("Show", "a release stands by for previews or a canary, or one does no more, and the Proxy doesn't know it so", "the Proxy is sent its snapshot with the target that it has", Show),
    ];

    private static Step? Serve(Situation s)
    {
        if (s.Journal.Switch is not null || !s.ProxyIsKnown || s.Active is not { IsReady: true } active || s.IsServed(active))
            return null;
        var fence = s.Journal.Fence + 1;
        var journal = s.Journal with { Fence = fence, SnapshotGeneration = s.Journal.SnapshotGeneration + 1 };
        return Snapshots.Of(s, journal, active, fence) is { } snapshot
            ? s.Try("Serve", "The Proxy is to serve by the active release", new Effect.Route(active.Ref, snapshot with { Standby = Standbys.Kept(s) }), journal)
            : null;
    }

    private static Step? Maintain(Situation s)
    {
        var (maintenance, isPaused) = (s.Proxy?.Maintenance ?? false, s.Proxy?.IsPaused ?? false);
        if (s.Journal.Switch is not null || !s.ProxyIsKnown || (maintenance == s.Journal.Maintenance && isPaused == s.Journal.IsPaused))
            return null;
        var journal = s.Journal with { SnapshotGeneration = s.Journal.SnapshotGeneration + 1 };
        return s.Try("Maintain", "Maintenance or a pause is to begin or to end", new Effect.Route(null, Snapshots.WithTargetAsItIs(s, journal, Standbys.Kept(s), journal.Fence)), journal);
    }

    private static Step? FailBack(Situation s)
    {
        if (s.Journal.Switch is not null)
            return null;
        var warm = s.Journal.Drains.LastOrDefault(d => s.Now < d.WarmUntil && s.Find(d.Ref) is { IsReady: true } && !s.IsBusy(d.Ref.Name));
        if (warm is null || s.Find(warm.Ref) is not { } container)
            return null;
        var complaint = s.ActiveFailed ? null : ComplaintOf(s, warm);
        if (!s.ActiveFailed && complaint is null)
            return null;
        var back = s.Journal.WithFailBack(warm, container, s.Now);
        if (s.Active is not { State: ContainerState.Exited or ContainerState.Running } failed)
            return new Step("FailBack", "The active container is gone; traffic goes back to the former release") { Journal = back };

        var hash = failed.Ref.Hash;
        var after = new Situation(s.Seen, back, s.Now, s.Settings);
        var evidence = complaint is null ? EvidenceOf(after, failed) : Evidence.OfTraffic(after, hash, failed, complaint, s.Now - s.Journal.Active!.Since);
        var journal = back.WithRejection(hash, evidence);
        if (journal.Deployments.FirstOrDefault(d => d.Hash == hash && d.End == Contracts.Admin.DeploymentEnd.Succeeded) is { } deployment)
            journal = journal.WithEnd(deployment.Id, Contracts.Admin.DeploymentEnd.RolledBack, s.Now, evidence.Message, evidence);
        return new Step("FailBack", evidence.Message) { Journal = journal, EvidenceOf = (hash, failed.Id) };
    }

    // Only as long as the Proxy tells of all the traffic that the release has had.
    private static TrafficComplaint? ComplaintOf(Situation s, DrainingRelease warm)
    {
        if (s.Active is not { } active || !s.IsServed(active) || s.Now - s.Journal.Active!.Since > TimeSpan.FromMinutes(TrafficSample.JudgedMinutes))
            return null;
        if (s.ConfigurationOf(active.Ref.Hash)?.Probation is not { } spec || spec is { MaxErrorRate: null, MaxLatency: null })
            return null;
        return TrafficJudgement.Of(spec, warm.Former, TrafficSample.Of(s.Proxy, active.Id, TrafficSample.JudgedMinutes));
    }

    private static Contracts.Admin.FailureEvidence EvidenceOf(Situation s, ContainerFact failed) =>
        failed.State == ContainerState.Exited || s.ConfigurationOf(failed.Ref.Hash) is not { } configuration
            ? Evidence.OfExit(s, failed.Ref.Hash, failed, "while on probation")
            : Evidence.OfUnhealthy(s, failed.Ref.Hash, failed, configuration, "became unhealthy while on probation");

    private static Step? LastResort(Situation s)
    {
        if (s.Journal.Switch is not null || !s.ProxyIsKnown || !s.ActiveFailed)
            return null;
        var purposes = s.Journal.Purposes.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        var spare = s.Containers.Where(c => c.IsReady && !purposes.Contains(c.Ref.Name) && !s.IsBusy(c.Ref.Name)).MinBy(c => s.Journal.RejectionOf(c.Ref.Hash) is not null);
        return spare is null ? null : Switches.Decide(s, "LastResort", spare.Ref, "Nothing else is ready");
    }

    private static Step? Rehouse(Situation s)
    {
        // A start whose answer was lost may have come true: the address that the next one found taken is the container's own then.
        if (s.Active is { IsRunning: true } || s.Journal.Active is not { } active || s.FailuresOf(active.Ref.Name, active.Since).FirstOrDefault(Provisioning.IsTaken) is not { } failure)
            return null;
        var (journal, container) = s.Journal.NextContainer(active.Ref.Hash, s.Settings.Application);
        return new Step("Rehouse", failure.Message) { Journal = journal with { Active = active with { Ref = container } } };
    }

    private static Step? Recreate(Situation s)
    {
        if (s.Journal.Active is not { } active || s.Active is not null)
            return null;
        return Provisioning.Step(s, "Recreate", active.Ref, "The active release has no container");
    }

    private static Step? CountCrash(Situation s)
    {
        if (s.Active is not { ExitedByItself: true, FinishedAt: { } end } container || s.Journal.Crashes?.LastExit == end)
            return null;
        var ranWell = container.StartedAt is { } start && end - start >= s.Settings.GoodRun;
        var count = ranWell ? 1 : (s.Journal.Crashes?.Count ?? 0) + 1;
        var crashes = new CrashLoop(count, end, s.Now + Backoff.OfCrash(count));
        return new Step("CountCrash", $"The active release exited with code {container.ExitCode}") { Journal = s.Journal with { Crashes = crashes } };
    }

    private static Step? Restart(Situation s)
    {
        if (s.Active is not { State: ContainerState.Created or ContainerState.Exited } container)
        {
            NoteUnready(s);
            return null;
        }

        if (container.ExitedByItself && s.Journal.Crashes is { } crashes && s.Now < crashes.BackoffUntil)
        {
            s.Note($"The active release crashed {crashes.Count} times; it is started again", crashes.BackoffUntil);
            return null;
        }

        return s.Try("Restart", "The active release doesn't run", new Effect.Start(container.Ref, container.Id));
    }

    private static Step? Show(Situation s)
    {
        if (!s.ProxyIsKnown || !Standbys.TryFind(s, out var standby) || Standbys.IsKnown(s, standby))
            return null;

        // What applies to the target goes with it.
        if (s.Proxy?.Target is { } target && s.ConfigurationOf(target.Release) is null)
            return null;
        return standby is null ? Withdraw(s) : Show(s, standby);
    }

    // It has the fence that the Proxy has: where a message that moved traffic was under way and comes true before, this one is refused, and doesn't take it back.
    private static Step? Withdraw(Situation s)
    {
        var journal = s.Journal with { SnapshotGeneration = s.Journal.SnapshotGeneration + 1 };
        return s.Try("Show", "The release that stood by gets no requests any more", new Effect.Show(Snapshots.WithTargetAsItIs(s, journal, null, s.Proxy!.Fence)), journal);
    }

    // For the same reason traffic has to be where it is to be: with a newer fence this would take it back.
    private static Step? Show(Situation s, Standby standby)
    {
        if (s.Journal.Switch is not null || (s.Journal.Active is not null && (s.Active is not { } active || !s.IsServed(active))))
            return null;
        var fence = s.Journal.Fence + 1;
        var journal = s.Journal with { Fence = fence, SnapshotGeneration = s.Journal.SnapshotGeneration + 1 };
        return s.Try("Show", $"{standby.Target.Revision} stands by for previews or a canary", new Effect.Show(Snapshots.WithTargetAsItIs(s, journal, standby, fence)), journal);
    }

    private static void NoteUnready(Situation s)
    {
        if (s.Active is { IsReady: false } container)
            s.Note(container.State == ContainerState.Paused ? "The active container is paused; unpause it" : "The active release isn't healthy");
    }
}
