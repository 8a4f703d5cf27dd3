using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Remembering;

/// <summary>How the traffic went: by the second for 10 minutes, by ten seconds for a day, and when it was moved. Not thread-safe.</summary>
/// <remarks>With one release at a time that is 9,240 points of 88 bytes; never more than <see cref="MostSeconds"/> and <see cref="MostTenSeconds"/>.</remarks>
internal sealed class TrafficHistory
{
    /// <summary>Steps of a second are kept for so many seconds.</summary>
    public const int SecondsKept = 10 * 60;

    /// <summary>Steps of ten seconds are kept for so many seconds.</summary>
    public const int TenSecondsKept = 24 * 60 * 60;

    /// <summary>Points of a second that are kept at most: for four releases at once.</summary>
    public const int MostSeconds = 4 * SecondsKept;

    /// <summary>Points of ten seconds that are kept at most.</summary>
    public const int MostTenSeconds = 4 * TenSecondsKept / TenSeconds;

    /// <summary>Switches that are kept at most.</summary>
    public const int MostSwitches = 1000;

    private const int TenSeconds = 10;
    private const int MinutesBySecond = SecondsKept / 60;

    private readonly List<TrafficSwitch> _switches = [];

    /// <summary>Points of a second.</summary>
    public TrafficSeries Seconds { get; } = new(SecondsKept, MostSeconds);

    /// <summary>Points of ten seconds.</summary>
    public TrafficSeries TenSecondSteps { get; } = new(TenSecondsKept, MostTenSeconds);

    /// <summary>When traffic was moved, the oldest first.</summary>
    public IReadOnlyList<TrafficSwitch> Switches => _switches;

    /// <summary>Up to when it is known; absent: nothing is.</summary>
    public DateTimeOffset? Until { get; private set; }

    /// <summary>From when the Proxy is to tell next: the step that went on at the last time, as a whole.</summary>
    public DateTimeOffset? AskFrom => Until is { } until ? DateTimeOffset.FromUnixTimeSeconds(StepOf(until)) : null;

    /// <summary>Takes what the Proxy has told.</summary>
    /// <param name="recent">What it told.</param>
    /// <param name="from">From when it was asked.</param>
    /// <returns>Whether there is anything new.</returns>
    public bool Take(RecentTraffic recent, DateTimeOffset? from)
    {
        var since = from?.ToUnixTimeSeconds() ?? 0;
        var until = recent.Until.ToUnixTimeSeconds();
        var isNew = recent.Former is { } former && TakePoints(former, since, until);
        isNew |= TakePoints(recent, since, until);
        isNew |= TakeSwitches(recent);
        Until = recent.Until;
        return isNew;
    }

    /// <summary>How it went in the last minutes.</summary>
    /// <param name="minutes">1 to 1440.</param>
    /// <param name="now">The end of the last one.</param>
    public TrafficDocument Report(int minutes, DateTimeOffset now)
    {
        var (step, series) = minutes <= MinutesBySecond ? (1, Seconds) : (TenSeconds, TenSecondSteps);
        var from = now.ToUnixTimeSeconds() - (minutes * 60);
        from -= from % step;
        return new TrafficDocument
        {
            StepSeconds = step,
            Until = Until ?? now,
            Revisions = [.. series.Points.Where(point => point.Start >= from).GroupBy(point => point.Source.Hash ?? "", StringComparer.Ordinal).Select(RevisionOf)],
            Switches = [.. _switches.Where(moved => moved.At.ToUnixTimeSeconds() >= from)],
        };
    }

    /// <summary>Takes what was kept on the disk.</summary>
    public void Restore(DateTimeOffset until, IReadOnlyList<KeptPoint> seconds, IReadOnlyList<KeptPoint> tenSeconds, IEnumerable<TrafficSwitch> switches)
    {
        Until = until;
        Seconds.Replace(0, 0, until.ToUnixTimeSeconds(), seconds);
        TenSecondSteps.Replace(0, 0, until.ToUnixTimeSeconds(), tenSeconds);
        _switches.AddRange(switches);
    }

    private bool TakePoints(RecentTraffic recent, long since, long until)
    {
        var run = recent.CountingSince.ToUnixTimeMilliseconds();
        var sources = recent.Releases.Select(release => (Source: new TrafficSource(release.Release, release.Revision, run), Release: release)).ToList();
        return Seconds.Replace(run, since, until, PointsOf(sources, release => release.Seconds))
            | TenSecondSteps.Replace(run, since, until, PointsOf(sources, release => release.TenSeconds));
    }

    private static IReadOnlyList<KeptPoint> PointsOf(IEnumerable<(TrafficSource Source, ReleaseTraffic Release)> releases, Func<ReleaseTraffic, IReadOnlyList<TrafficPoint>> of) =>
        [.. releases.SelectMany(release => of(release.Release).Select(point => KeptPoint.Of(release.Source, point))).OrderBy(point => point.Start)];

    private bool TakeSwitches(RecentTraffic recent)
    {
        var before = _switches.ToList();
        foreach (var moved in recent.Switches)
        {
            // What is known already is in force at its own time; and a Proxy that was started again begins with what it served before: nothing was moved then.
            var later = _switches.FindIndex(known => known.At > moved.At) is var found && found < 0 ? _switches.Count : found;
            if (later == 0 || _switches[later - 1].Hash != moved.Hash)
            {
                _switches.Insert(later, moved);
            }
        }

        // Of those whose time is over the last one stays: it says what is in force.
        while (_switches.Count > MostSwitches || (_switches.Count > 1 && _switches[1].At < recent.Until.AddSeconds(-TenSecondsKept)))
        {
            _switches.RemoveAt(0);
        }

        return !_switches.SequenceEqual(before);
    }

    private static RevisionTraffic RevisionOf(IGrouping<string, KeptPoint> points) => new(
        points.Last().Source.Revision,
        points.Last().Source.Hash,
        [.. points.GroupBy(point => point.Start).OrderBy(step => step.Key).Select(step => step.Select(point => point.ToPoint()).Aggregate(Sum))]);

    // Of two runs of the Proxy within one step, the durations of which nobody can sort any more: the longer ones.
    private static TrafficPoint Sum(TrafficPoint one, TrafficPoint other) => new()
    {
        At = one.At,
        Requests = one.Requests + other.Requests,
        ByClass = new SortedDictionary<int, long>(one.ByClass.Concat(other.ByClass).GroupBy(pair => pair.Key).ToDictionary(digit => digit.Key, digit => digit.Sum(pair => pair.Value))),
        BytesIn = one.BytesIn + other.BytesIn,
        BytesOut = one.BytesOut + other.BytesOut,
        P50Ms = Math.Max(one.P50Ms, other.P50Ms),
        P90Ms = Math.Max(one.P90Ms, other.P90Ms),
        P99Ms = Math.Max(one.P99Ms, other.P99Ms),
    };

    private static long StepOf(DateTimeOffset at) => at.ToUnixTimeSeconds() / TenSeconds * TenSeconds;
}
