using System.Diagnostics.CodeAnalysis;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>What is served now, for every request to read and for the control API to exchange.</summary>
/// <remarks>Reading takes no lock. <see cref="Serve"/>, <see cref="TryLimit"/> and <see cref="Forget"/> are called by one caller at a time.</remarks>
/// <param name="running">Finds the claims of requests that run.</param>
/// <param name="time">Clock of statistics and drains.</param>
internal sealed class TargetTable(Func<IReadOnlyList<Claim>> running, TimeProvider time)
{
    private readonly DateTimeOffset _countingSince = time.GetUtcNow();
    private volatile RouteTable _routes = RouteTable.Empty;

    /// <summary>Records requests that belong to no application.</summary>
    public TrafficRecorder Unclaimed { get; } = new(time);

    /// <summary>Whether no application is known yet.</summary>
    public bool IsEmpty => _routes.Applications.IsEmpty;

    /// <summary>How the application that a request belongs to is served at this instant; absent: it belongs to none.</summary>
    public Serving? Find(RequestPlace place) => _routes.Find(place)?.Serving;

    /// <summary>Whether clients that ask for a host over TLS are to be asked for a certificate.</summary>
    public bool AsksClient(string host) => _routes.AsksClient(host);

    /// <summary>Takes hold of the active target of the application that a request belongs to, or of the one that stands by.</summary>
    /// <param name="place">Where the request is addressed to.</param>
    /// <param name="claimant">Says whether the request goes to a release that stands by, where there is one.</param>
    /// <param name="serving">What was served at the instant of the claim; absent: the request belongs to no application.</param>
    /// <param name="claim">The hold, to be disposed when the request has ended.</param>
    /// <returns><see langword="false"/> if there is no target, traffic is paused, or maintenance is up and the request doesn't go to one that stands by.</returns>
    /// <remarks>
    /// A claim fails only on a target that is closed, and a target is closed only after its successor is in place. So each further round
    /// reads a newer state, and there are no more rounds than switches in the meantime.
    /// </remarks>
    public bool TryClaim(RequestPlace place, IClaimant claimant, out Serving? serving, [NotNullWhen(true)] out Claim? claim)
    {
        while (true)
        {
            serving = Find(place);
            claim = null;
            var upstream = serving is { Standby: { } standby, IsPaused: false } && claimant.Visits(standby, serving) ? standby.Upstream
                : serving?.Admits(place) is true ? serving.Upstream
                : null;
            if (upstream is null)
            {
                return false;
            }

            if (upstream.TryClaim(out claim))
            {
                return true;
            }
        }
    }

    /// <summary>Serves by a snapshot from now on. Where its target or standby is another one than before, the former one drains.</summary>
    public void Serve(ApplicationSnapshot snapshot)
    {
        var known = _routes.Applications.GetValueOrDefault(snapshot.Application);
        var application = known ?? new ServedApplication(time);
        var former = application.Serving.Routing;
        var replaced = application.Take(snapshot);
        if (known is null || former != snapshot.Routing)
        {
            _routes = _routes.With(snapshot.Application, application);
        }

        foreach (var target in replaced)
        {
            target.Drain();
        }
    }

    /// <summary>Gives what runs on replaced targets of an application other limits, counted from now.</summary>
    /// <param name="application">The application.</param>
    /// <param name="containerId">Whose drain is meant; absent: every one.</param>
    /// <param name="plainLimit">Until plain requests are cut; absent: as before.</param>
    /// <param name="streamLimit">Until streams are cut; absent: as before.</param>
    /// <returns><see langword="false"/> if nothing drains there.</returns>
    public bool TryLimit(string application, string? containerId, TimeSpan? plainLimit, TimeSpan? streamLimit) =>
        _routes.Applications.GetValueOrDefault(application)?.TryLimit(containerId, plainLimit, streamLimit) ?? false;

    /// <summary>Serves nothing of an application from now on; its former targets drain.</summary>
    /// <param name="application">The application.</param>
    /// <param name="last">The snapshot that it was served by.</param>
    public void Forget(string application, ApplicationSnapshot last)
    {
        var serving = _routes.Applications.GetValueOrDefault(application)?.Serving;
        _routes = _routes.Without(application);
        serving?.Room.Wake();
        serving?.Queue.Serve(null, serving.Limits);
        foreach (var target in serving is null ? [] : ReplacedTarget.In(serving, last))
        {
            target.Drain();
        }
    }

    /// <summary>Tells the WebSockets of all targets to close within a time: the Proxy stops.</summary>
    public void CloseWebSockets(TimeSpan limit)
    {
        foreach (var (_, application) in _routes.Applications)
        {
            application.CloseWebSockets(limit);
        }
    }

    /// <summary>Requests of an application that wait until it can be reached again, or a pause is over.</summary>
    public int CountWaiting(string application) => _routes.Applications.GetValueOrDefault(application)?.Serving.Room.Count ?? 0;

    /// <summary>Requests of an application that wait for a place on its target.</summary>
    public int CountQueued(string application) => _routes.Applications.GetValueOrDefault(application)?.Serving.Queue.Count ?? 0;

    /// <summary>Traffic of the targets that were active in an application, newest first.</summary>
    public IReadOnlyList<TargetTraffic> ReportTargets(string application) => _routes.Applications.GetValueOrDefault(application)?.ReportTargets(running) ?? [];

    /// <summary>Traffic of all targets of an application and of its requests without one.</summary>
    public Traffic ReportTotal(string application) =>
        _routes.Applications.GetValueOrDefault(application)?.ReportTotal() ?? TrafficRecorder.Report([]);

    /// <summary>How the traffic of an application went lately; absent: there is none of that name.</summary>
    /// <param name="application">The application.</param>
    /// <param name="since">Unix time in seconds, from which it is wanted.</param>
    /// <remarks>As long as none is known at all, what was answered so far is that of any: nothing is deployed yet.</remarks>
    public RecentTraffic? ReportRecent(string application, long since) => _routes.Applications.GetValueOrDefault(application) switch
    {
        { } served => RecentOf(served.ReportRecent(since)) with { Switches = served.ReportSwitches() },
        null when IsEmpty => RecentOf(RecentReport.Of(null, "", [Unclaimed], since) is { } unclaimed ? [unclaimed] : []),
        null => null,
    };

    /// <summary>How the traffic of all applications went lately, by their names.</summary>
    public IReadOnlyDictionary<string, RecentTraffic> ReportRecent() =>
        _routes.Applications.ToDictionary(application => application.Key, application => RecentOf(application.Value.ReportRecent(0)), StringComparer.Ordinal);

    /// <summary>What was counted of each release of an application; absent: there is none of that name.</summary>
    public TrafficTotals? ReportTotals(string application) => _routes.Applications.GetValueOrDefault(application) is { } served
        ? new TrafficTotals { BoundsSeconds = DurationBounds.Seconds, Releases = served.ReportTotals() }
        : null;

    /// <summary>Looks at what was counted in the second that is over.</summary>
    public void Look()
    {
        Unclaimed.Look();
        foreach (var (_, application) in _routes.Applications)
        {
            application.Look();
        }
    }

    private RecentTraffic RecentOf(IReadOnlyList<ReleaseTraffic> releases) => new() { CountingSince = _countingSince, Until = time.GetUtcNow(), Releases = releases };
}
