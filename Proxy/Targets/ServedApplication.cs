using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>The turns of an application's targets, and which one is active.</summary>
/// <param name="time">Clock of statistics and drains.</param>
internal sealed class ServedApplication(TimeProvider time)
{
    private const int MaxTurns = 16;

    private readonly TrafficRecorder _former = new(time);
    private readonly Dictionary<string, TrafficRecorder> _formerTurns = new(StringComparer.Ordinal);
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
        if (next is not null && next != former.Upstream)
        {
            next.ActiveSince = time.GetUtcNow();
        }

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
        return [.. _turns.Select(turn => turn.Report(claims, _serving.Snapshot?.SlowAfter))];
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
        TrafficRecorder.Report([_former, .. _formerTurns.Values, _serving.Untargeted, .. _turns.Select(turn => turn.Traffic)]);

    /// <summary>What was counted of each release that has a turn, and of requests without a target.</summary>
    public IReadOnlyList<ReleaseTotals> ReportTotals() =>
    [
        .. _turns.GroupBy(turn => turn.Target.Release, StringComparer.Ordinal).Select(turns => new ReleaseTotals
        {
            Release = turns.Key,
            Revision = turns.First().Target.Revision,
            InFlight = turns.Sum(turn => turn.Count.InFlight),
            Streams = turns.Sum(turn => turn.Count.Streams),
            ByClass = TrafficRecorder.TotalsOf([.. turns.Select(turn => turn.Traffic), .. _formerTurns.TryGetValue(turns.Key, out var former) ? [former] : Array.Empty<TrafficRecorder>()]),
        }),
        new ReleaseTotals { ByClass = TrafficRecorder.TotalsOf([_serving.Untargeted]) },
    ];

    /// <summary>How the traffic of each release went lately.</summary>
    /// <param name="since">Unix time in seconds, from which it is wanted.</param>
    public IReadOnlyList<ReleaseTraffic> ReportRecent(long since) =>
    [
        .. _turns.GroupBy(turn => turn.Target.Release, StringComparer.Ordinal)
            .Select(turns => RecentReport.Of(turns.Key, turns.First().Target.Revision, turns.Select(turn => turn.Traffic), since))
            .Append(RecentReport.Of(null, "", [_serving.Untargeted], since))
            .OfType<ReleaseTraffic>(),
    ];

    /// <summary>When traffic was moved to which release, the oldest first.</summary>
    public IReadOnlyList<TrafficSwitch> ReportSwitches()
    {
        var turns = _turns.Where(turn => turn.ActiveSince is not null).OrderBy(turn => turn.ActiveSince).ToList();
        return [.. turns.Where((turn, i) => i == 0 || turns[i - 1].Target.Release != turn.Target.Release)
            .Select(turn => new TrafficSwitch(turn.ActiveSince!.Value, turn.Target.Release, turn.Target.Revision))];
    }

    /// <summary>Looks at what was counted in the second that is over.</summary>
    public void Look()
    {
        _serving.Untargeted.Look();
        foreach (var turn in _turns)
        {
            turn.Traffic.Look();
        }
    }

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

    // One that has nothing to do any more, else the oldest; its counts stay part of the total, and of those of its release while that has other turns.
    private void ForgetOne(List<Upstream> turns)
    {
        var index = turns.FindLastIndex(turn => turn.Count.Drained.IsCompleted);
        index = index < 0 ? turns.Count - 1 : index;
        var forgotten = turns[index];
        turns.RemoveAt(index);
        if (turns.Any(turn => turn.Target.Release == forgotten.Target.Release))
        {
            var former = _formerTurns.GetValueOrDefault(forgotten.Target.Release) ?? new TrafficRecorder(time);
            former.Add(forgotten.Traffic);
            _formerTurns[forgotten.Target.Release] = former;
            return;
        }

        _former.Add(forgotten.Traffic);
        if (_formerTurns.Remove(forgotten.Target.Release, out var last))
        {
            _former.Add(last);
        }
    }
}
