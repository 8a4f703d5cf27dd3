using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>What must hold at every state and for every move.</summary>
internal static class Safety
{
    /// <summary>Finds a promise that a move breaks.</summary>
    /// <returns>The promise; absent: all hold.</returns>
    public static string? Broken(ModelState before, Move move) =>
        BrokenByAnyMove(before, move) ?? move.Kind switch
        {
            MoveKind.StrayArrives or MoveKind.CallEnds => BrokenByCall(before, move.After),
            MoveKind.ControllerActs => BrokenByRound(before, (Round)move.About!, move.After),
            _ => null,
        };

    /// <summary>Finds a promise that waiting breaks.</summary>
    public static string? BrokenByWaiting(ModelState state) =>
        state.Journal.Deployments.Any(d => d.End is null && d.Deadline <= state.Now) ? "Every launch, switch and deployment ends by its deadline." : null;

    private static string? BrokenByAnyMove(ModelState before, Move move)
    {
        var after = move.After;
        if (after.Containers.Count > Catalogue.Settings.MaxContainers)
            return $"At most {Catalogue.Settings.MaxContainers} containers exist.";
        if (after.Journal.Fence < before.Journal.Fence || after.Journal.SnapshotGeneration < before.Journal.SnapshotGeneration)
            return "Fence and generation of the journal only grow.";
        if (move.Kind != MoveKind.ProxyForgets && (after.Proxy?.Fence < before.Proxy?.Fence || after.Proxy?.Generation < before.Proxy?.Generation))
            return "Fence and generation of the Proxy only grow.";
        return null;
    }

    private static string? BrokenByCall(ModelState before, ModelState after)
    {
        if (before.IsServing && !after.IsServing)
            return "What serves never stops serving because of an action of ours.";
        if (after.Proxy?.Target is { } target && !target.IsSameAs(before.Proxy?.Target) && !after.Containers.Any(c => c.IsHealthyAs(target)))
            return "Traffic is never moved to a container that is not healthy.";
        var lost = before.Containers.Where(c => c.Fact.State == ContainerState.Running && after.Find(c.Fact.Id) is not { Fact.State: ContainerState.Running }).ToList();
        if (before.Containers.Any(c => before.IsSentTo(c) && after.Find(c.Fact.Id) is null) || lost.Any(before.IsSentTo))
            return "No container that the Proxy sends requests to is ever stopped or removed.";
        if (after.Proxy?.Standby is { } standby && !standby.IsSameAs(before.Proxy?.Standby) && !after.Containers.Any(c => c.IsHealthyAs(standby)))
            return "No request is ever sent to a standby that is not healthy.";
        if (lost.Any(c => c.CutAt > after.Now))
            return "A request is never cut before its drain deadline.";
        return lost.Any(c => CanStillBeTarget(after, c.Fact.Id)) ? "No switch comes true after its container was stopped." : null;
    }

    private static bool CanStillBeTarget(ModelState state, string id) => state.Strays.Concat(state.Calls).Any(c =>
        SnapshotOf(c.Effect) is { } snapshot && snapshot.Fence > (state.Proxy?.Fence ?? 0)
        && ((snapshot.Target?.ContainerId == id && ModelProxy.MovesTraffic(state.Proxy, snapshot)) || (snapshot.Standby?.Target.ContainerId == id && ModelProxy.Shows(state.Proxy, snapshot))));

    private static ApplicationSnapshot? SnapshotOf(Effect effect) => effect switch
    {
        Effect.Route route => route.Snapshot,
        Effect.Show show => show.Snapshot,
        _ => null,
    };

    private static string? BrokenByRound(ModelState before, Round round, ModelState after)
    {
        if (round.IsEndless)
            return "The plan comes to an effect or to waiting.";
        return BrokenByEffect(before, round) ?? BrokenByJournal(before.Journal, round.Journal, before) ?? BrokenByAbort(before.Journal, round.Journal, after);
    }

    private static string? BrokenByEffect(ModelState before, Round round)
    {
        if (round.Step.Effect is not { } effect)
            return null;
        if (before.Calls.Any(c => c.Effect.Subject == effect.Subject))
            return "At most one effect at a time is under way for a subject.";
        if (!before.EngineIsUp && effect is not (Effect.Route or Effect.Show or Effect.RaiseFence or Effect.Pull or Effect.RemoveImage))
            return "No container is touched while the containers are not known.";
        if (!before.ProxyIsUp && effect is Effect.Stop or Effect.Route or Effect.Show or Effect.RaiseFence && !before.ProxyIsUp)
            return "Nothing is stopped and no traffic moves while the Proxy is not known.";
        if (FenceOf(effect) > round.Journal.Fence)
            return "No fence is given out that isn't on the disk.";
        if (effect is Effect.Route { Snapshot: { Target: { } target } snapshot } && ModelProxy.MovesTraffic(before.Proxy, snapshot) && before.Find(target.ContainerId) is not { Fact.IsReady: true })
            return "Traffic is asked to move to a verified container only.";
        if (effect is Effect.Show show && ModelProxy.MovesTraffic(before.Proxy, show.Snapshot))
            return "Nothing but a switch moves traffic.";
        if (effect is Effect.Show { Snapshot: { Standby.Target: var standby } shown } && ModelProxy.Shows(before.Proxy, shown) && before.Find(standby.ContainerId) is not { Fact.IsReady: true })
            return "Requests are asked to be sent to a verified standby only.";
        if (effect is Effect.Stop stop && before.Journal.Active is not null
            && before.Find(stop.Id) is { Fact.IsReady: true }
            && before.Journal.Stopping.All(run => run.ContainerId != stop.Id) && !before.Containers.Any(c => c.Fact.IsReady && c.Fact.Id != stop.Id))
            return "The last ready container is never stopped.";
        return effect is Effect.Remove remove && before.Find(remove.Id) is { Fact.IsRunning: true } ? "Only a stopped container is removed." : null;
    }

    private static long? FenceOf(Effect effect) => effect switch
    {
        _ when SnapshotOf(effect) is { } snapshot => snapshot.Fence,
        Effect.RaiseFence fence => fence.Fence,
        Effect.Stop stop => stop.Fence,
        _ => null,
    };

    private static string? BrokenByJournal(Journal before, Journal after, ModelState state)
    {
        var isNewlyDesired = before.Desired?.ETag != after.Desired?.ETag;
        if (before.Pin is not null && after.Pin is null && !isNewlyDesired)
            return "Only a newer current.json lifts a pin.";
        if (isNewlyDesired && after.Desired?.ETag != (state.Current as CurrentDocument.Valid)?.ETag)
            return "Only current.json says what is desired.";
        if (after.Pin is { GivenUp: true } && before.Pin is { GivenUp: false } && before.Deployments.All(d => d.Kind != DeploymentKind.Switch || d.Deadline > state.Now))
            return "A switch is given up at its deadline only.";
        foreach (var hash in Catalogue.Hashes)
        {
            var (was, isNow) = (before.RejectionOf(hash) is not null, after.RejectionOf(hash) is not null);
            if (was && !isNow && !(isNewlyDesired && after.Desired?.Hash == hash) && after.Active?.Ref.Hash != hash)
                return "A rejected release stays rejected until somebody decides anew.";
            if (!was && isNow && Catalogue.NameOf(hash) != Catalogue.Bad && (state.Blamed & Acts.BitOf(hash)) == 0)
                return "A good release is never rejected because of what happens around it.";
        }

        return before.Deployments.Any(d => d.End is { } end && after.Deployments.FirstOrDefault(a => a.Id == d.Id)?.End is { } now && now != end && (end, now) != (DeploymentEnd.Succeeded, DeploymentEnd.RolledBack))
            ? "What has ended stays as it ended, unless it is rolled back."
            : null;
    }

    private static string? BrokenByAbort(Journal before, Journal after, ModelState state) =>
        before.Switch is { } intent && after.Switch is null && after.Active?.Ref != intent.To && state.Named(intent.To.Name) is { } to && CanStillBeTarget(state, to.Fact.Id)
            ? "A switch that was delayed never comes true after it was given up."
            : null;
}
