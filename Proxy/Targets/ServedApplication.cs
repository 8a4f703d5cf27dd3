using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>The turns of an application's targets, and which one is active.</summary>
/// <param name="time">Clock of statistics and drains.</param>
internal sealed class ServedApplication(TimeProvider time)
{
    private const int MaxTurns = 16;

    private readonly TrafficRecorder _former = new(time);
    private volatile IReadOnlyList<Upstream> _turns = [];
    private volatile Serving _serving = new(null, null, new TrafficRecorder(time), new WaitingRoom(time), new RequestQueue(time));

    /// <summary>What is served at this instant.</summary>
    public Serving Serving => _serving;

    /// <summary>Puts a snapshot in place in one step.</summary>
    /// <returns>The targets that were replaced or withdrawn, and have to be drained.</returns>
    public IReadOnlyList<ReplacedTarget> Take(ApplicationSnapshot snapshot)
    {
        var former = _serving;
        var next = UpstreamOf(snapshot.Target, former, snapshot.Limits);
        var standby = snapshot.Standby is { } settings && UpstreamOf(settings.Target, former, snapshot.Limits) is { } upstream && upstream != next
            ? new ServedStandby(upstream, snapshot, settings)
            : null;
        var serving = _serving = new Serving(next, snapshot, former.Untargeted, former.Room, former.Queue, standby);
        serving.Queue.Serve(next?.Places, snapshot.Limits);
        serving.Room.Wake();
        return [.. ReplacedTarget.In(former, snapshot).Where(replaced => replaced.Upstream != next && replaced.Upstream != standby?.Upstream)];
    }

    /// <summary>Traffic of each turn, newest first; the first one is active unless it is draining.</summary>
    /// <param name="running">Finds the claims of requests that run; asked only while something drains.</param>
    public IReadOnlyList<TargetTraffic> ReportTargets(Func<IReadOnlyList<Claim>> running)
    {
        var claims = _turns.Any(turn => turn.DrainingSince is not null && !turn.Count.Drained.IsCompleted) ? running() : [];
        return [.. _turns.Select(turn => turn.Report(claims))];
    }

    /// <summary>Gives what runs on replaced targets other limits, counted from now.</summary>
    /// <param name="containerId">Whose drain is meant; absent: every one.</param>
    /// <param name="plainLimit">Until plain requests are cut; absent: as before.</param>
    /// <param name="streamLimit">Until streams are cut; absent: as before.</param>
    /// <returns><see langword="false"/> if nothing drains there.</returns>
    public bool TryLimit(string? containerId, TimeSpan? plainLimit, TimeSpan? streamLimit)
    {
        var draining = _turns.Where(turn => turn.IsDraining && (containerId is null || turn.Target.ContainerId == containerId)).ToList();
        draining.ForEach(turn => turn.Limit(plainLimit, streamLimit));
        return draining.Count > 0;
    }

    /// <summary>Tells the WebSockets of all turns to close within a time.</summary>
    public void CloseWebSockets(TimeSpan limit)
    {
        foreach (var turn in _turns)
        {
            turn.WebSockets.EndWithin(limit);
        }
    }

    /// <summary>Traffic of all turns, the forgotten ones and requests without a target included.</summary>
    public Traffic ReportTotal() =>
        TrafficRecorder.Report([_former, _serving.Untargeted, .. _turns.Select(turn => turn.Traffic)]);

    // One that stood by and becomes active, or the other way round, goes on with what runs on it.
    private Upstream? UpstreamOf(Target? target, Serving former, Limits limits)
    {
        var known = new[] { former.Upstream, former.Standby?.Upstream }.FirstOrDefault(upstream => upstream?.Target.IsSameAs(target) == true);
        var upstream = target is null ? null : known ?? Next(target);
        upstream?.Pool.Limits = limits;
        return upstream;
    }

    private Upstream Next(Target target)
    {
        var next = new Upstream(target, time, _serving.Queue, [.. _turns.Where(turn => turn.Target.Address == target.Address && !turn.Count.Drained.IsCompleted)]);
        var turns = new List<Upstream>(_turns);
        turns.Insert(0, next);
        while (turns.Count > MaxTurns)
        {
            ForgetOne(turns);
        }

        _turns = turns;
        return next;
    }

    // One that has nothing to do any more, else the oldest; its counts stay part of the total.
    private void ForgetOne(List<Upstream> turns)
    {
        var index = turns.FindLastIndex(turn => turn.Count.Drained.IsCompleted);
        index = index < 0 ? turns.Count - 1 : index;
        _former.Add(turns[index].Traffic);
        turns.RemoveAt(index);
    }
}
