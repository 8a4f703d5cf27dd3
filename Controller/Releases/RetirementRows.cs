using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Rows that let replaced releases finish, and tidy up after them.</summary>
internal static class RetirementRows
{
    // The Proxy gives no more.
    private static readonly TimeSpan LongestDrain = TimeSpan.FromHours(24);

    public static IReadOnlyList<Row> All { get; } =
    [
        new("Retire", "a replaced release's container doesn't run any more", "the latest one is retained for a rollback, an older one loses its purpose", Retire),
        new("Drain", "a replaced release is past its probation, and idle or past its drain deadline, while the active one serves", "it is stopped", Drain),
        new("Awake", "the retained release's container runs", "it is drained anew", Awake),
        new("Forget", "the retained release's container is gone", "it is forgotten", Forget),
        new("Prune", "an image that the Controller brought here belongs to none of the releases that are kept", "it is removed", Prune),
    ];

    private static Step? Retire(Situation s)
    {
        var stopped = s.Journal.Drains.FirstOrDefault(d => s.Find(d.Ref) is null or { IsRunning: false });
        if (stopped is null)
            return null;
        var isHere = s.Find(stopped.Ref) is not null && !IsNewer(s.Journal, s.Journal.Retained, stopped.Ref);
        return new Step("Retire", $"{stopped.Ref.Name} has stopped")
        {
            Journal = s.Journal.Without(stopped.Ref) with { Retained = isHere ? stopped.Ref : s.Journal.Retained },
        };
    }

    private static bool IsNewer(Journal journal, ContainerRef? one, ContainerRef other) =>
        one is not null && journal.History.TakeWhile(hash => hash != other.Hash).Contains(one.Hash);

    private static Step? Drain(Situation s)
    {
        var isSafe = s.Active is { IsReady: true } active && s.IsServed(active) && s.Journal.Switch is null;
        foreach (var draining in s.Journal.Drains)
        {
            // One that doesn't run is retired before.
            if (s.Find(draining.Ref) is not { } container || s.IsTarget(container) || s.IsShown(container))
                continue;
            var deadline = DeadlineOf(s, draining, container);
            if (s.Now < draining.WarmUntil)
                s.Note($"{draining.Ref.Name} is kept warm for the probation", draining.WarmUntil);
            else if (s.IsInUse(container) && s.Now < deadline)
                s.Note($"{draining.Ref.Name} finishes its requests", new[] { deadline, s.Now + s.Settings.DrainPoll }.Min());
            else if (isSafe && Stops.Step(s, "Drain", container, $"{draining.Ref.Name} is replaced and idle", s.Now < deadline) is { } step)
                return step;
        }

        return null;
    }

    // Traffic may have left it later than was decided: a request that it began before then has its whole time. A time after now is from before the clock was set back.
    // And somebody may have told the Proxy to give it more time.
    private static DateTimeOffset DeadlineOf(Situation s, DrainingRelease draining, ContainerFact container)
    {
        var turns = s.Proxy?.Targets.Where(t => t.Target.ContainerId == container.Id).ToList();
        var deadline = turns?.Max(t => t.DrainingSince) is { } since && since > draining.Since && since <= s.Now ? since + (draining.Deadline - draining.Since) : draining.Deadline;
        return turns?.Max(t => t.Deadline) is { } given && given > deadline && given <= s.Now + LongestDrain ? given : deadline;
    }

    // A start that was under way when it was retired, or somebody else's.
    private static Step? Awake(Situation s) =>
        s.Journal.Retained is { } retained && s.Find(retained) is { IsRunning: true }
            ? new Step("Awake", $"{retained.Name} runs again")
            {
                Journal = s.Journal with { Retained = null, Drains = [new DrainingRelease(retained, s.Now, s.Now, s.Now), .. s.Journal.Drains] },
            }
            : null;

    private static Step? Forget(Situation s) =>
        s.Journal.Retained is { } retained && s.Find(retained) is null
            ? new Step("Forget", $"{retained.Name} is gone") { Journal = s.Journal with { Retained = null } }
            : null;

    private static Step? Prune(Situation s)
    {
        var kept = s.Journal.Purposes.Select(p => p.Hash)
            .Concat(s.Journal.History.Take(s.Settings.RetainedImages))
            .Concat(s.Wanted is { } wanted ? [wanted] : Array.Empty<string>())
            .Concat(s.Containers.Select(c => c.Ref.Hash))
            .Concat(s.Seen.Working.Select(HashOf).OfType<string>())
            .ToHashSet(StringComparer.Ordinal);
        var images = s.Journal.Images;
        var keptReferences = images.Where(i => kept.Contains(i.Hash)).Select(i => i.Reference).ToHashSet(StringComparer.Ordinal);
        if (images.FirstOrDefault(i => !kept.Contains(i.Hash)) is not { } old)
            return null;
        if (keptReferences.Contains(old.Reference) || s.Seen.RemovedImages.Contains(old.Reference))
            return new Step("Prune", $"{old.Reference} is not the release's any more") { Journal = s.Journal with { Images = images.RemoveAll(i => i == old) } };
        return s.Try("Prune", $"{old.Reference} belongs to no release that is kept", new Effect.RemoveImage(old.Reference));
    }

    // What is under way may need the image yet: a container that is being created isn't seen before it is there.
    private static string? HashOf(Effect working) => working switch
    {
        Effect.Pull pull => pull.Hash,
        Effect.Create create => create.Container.Hash,
        _ => null,
    };
}
