using System.Globalization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Following;

/// <summary>Tells from one status after the other how a deployment goes on a host: what is new, and how it ends. It asks nobody.</summary>
/// <param name="host">The host as it was named.</param>
/// <param name="goal">Which deployment.</param>
/// <param name="before">The status from before <c>current.json</c> was written; absent where the deployment is known by its id.</param>
/// <param name="throughProbation">Whether a release that serves is followed until it can't be rolled back any more.</param>
internal sealed class HostFollower(string host, FollowGoal goal, StatusDocument? before = null, bool throughProbation = false)
{
    private const string TriedAgain = "wunderproxy retry tries it again.";

    // Without these nothing is begun; a deployment that waits for one of them looks like one that is forgotten.
    private static readonly string[] Needed = ["StateDurable", "DockerReachable", "ProxyReachable", "RoutingAccepted", "StoreReachable"];

    private static readonly TimeSpan ProgressPause = TimeSpan.FromMilliseconds(500);

    private readonly HashSet<string> _former = [.. before?.Deployments.Where(deployment => deployment.End is not null).Select(deployment => deployment.Id) ?? []];
    private string? _deploymentId;
    private DateTimeOffset _toldUntil = DateTimeOffset.MinValue;
    private (DeploymentProgress? Progress, DateTimeOffset At) _progress;
    private Dictionary<string, string> _hindrances = [];
    private bool _isLost;

    public string Host { get; } = host;

    public string Hash => goal.Hash;

    /// <summary>How it ended; absent: it hasn't.</summary>
    public FollowEnd? End { get; private set; }

    /// <summary>What the host is about, in a line.</summary>
    public string Doing { get; private set; } = "";

    /// <summary>What is new in the host's latest status.</summary>
    public IReadOnlyList<HostNews> Take(StatusDocument status)
    {
        var news = new List<HostNews>();
        if (_isLost)
        {
            _isLost = false;
            news.Add(News(NewsKind.Found, status.At));
        }

        var found = Find(status);
        Doing = DoingOf(status, found?.Progress);
        if (found is { } deployment)
        {
            news.AddRange(PhasesOf(deployment));
            news.AddRange(ProgressOf(deployment, status.At));
            news.AddRange(EndOf(deployment, status));
        }
        else
        {
            news.AddRange(EndWithoutDeployment(status));
        }

        return End is null ? [.. news, .. HindrancesOf(status)] : news;
    }

    /// <summary>The host couldn't be asked. It may be back soon: its Controller is being upgraded, say.</summary>
    public IReadOnlyList<HostNews> Miss(string why)
    {
        Doing = why;
        if (_isLost)
        {
            return [];
        }

        _isLost = true;
        return [News(NewsKind.Lost) with { Message = why }];
    }

    /// <summary>The host can't be followed: what answers there can't be understood.</summary>
    public IReadOnlyList<HostNews> Lose(string why) => Ended(FollowEnd.Unreachable, $"{why} Whether the release serves there is not known.");

    /// <summary>The time that was given is over.</summary>
    public HostNews GiveUp(TimeSpan after)
    {
        var (end, what) = _isLost
            ? (FollowEnd.Unreachable, $"{Doing} Whether the release serves there is not known.")
            : (FollowEnd.TimedOut, $"It hasn't ended within {Words.Span(after)}, and goes on. {Doing}");
        return Ended(end, what)[0];
    }

    private DeploymentStatus? Find(StatusDocument status)
    {
        var found = _deploymentId is { } id
            ? status.Deployments.FirstOrDefault(deployment => deployment.Id == id)
            : goal switch
            {
                FollowGoal.Ordered ordered => status.Deployments.FirstOrDefault(deployment => deployment.Id == ordered.DeploymentId),
                _ => status.Deployments.FirstOrDefault(deployment => deployment.Kind == DeploymentKind.Deploy && deployment.Hash == Hash && !_former.Contains(deployment.Id)),
            };
        _deploymentId = found?.Id ?? _deploymentId;
        return found;
    }

    private IEnumerable<HostNews> PhasesOf(DeploymentStatus deployment)
    {
        if (_toldUntil == DateTimeOffset.MinValue)
        {
            _toldUntil = deployment.AcceptedAt.AddTicks(-1);
            yield return News(NewsKind.Began, deployment.AcceptedAt);
        }

        // Those that are later than what was told are new: a Controller that was killed may have forgotten the latest ones.
        foreach (var entry in deployment.Phases.Where(entry => entry.At > _toldUntil))
        {
            _toldUntil = entry.At;
            yield return News(NewsKind.Phase, entry.At) with { Phase = entry.Phase };
        }
    }

    private IEnumerable<HostNews> ProgressOf(DeploymentStatus deployment, DateTimeOffset now)
    {
        if (deployment.Progress is { } progress && progress != _progress.Progress && now - _progress.At >= ProgressPause)
        {
            _progress = (progress, now);
            yield return News(NewsKind.Progress, now) with { Progress = progress };
        }
    }

    // Each once, as long as it says the same.
    private List<HostNews> HindrancesOf(StatusDocument status)
    {
        var hindrances = HindrancesIn(status).ToDictionary();
        var news = hindrances.Where(hindrance => _hindrances.GetValueOrDefault(hindrance.Key) != hindrance.Value)
            .Select(hindrance => News(NewsKind.Hindered, status.At) with { Message = hindrance.Value }).ToList();
        _hindrances = hindrances;
        return news;
    }

    private IEnumerable<(string Of, string Message)> HindrancesIn(StatusDocument status)
    {
        foreach (var condition in status.Conditions.Where(IsHindrance))
        {
            yield return (condition.Type, condition.Message);
        }

        if (ReleaseIn(status) is { Phase: ReleasePhase.BackingOff })
        {
            yield return ("Release", status.Plan.Reason);
        }
    }

    // A configuration that this host couldn't even read or keep is none that it refuses.
    private static bool IsHindrance(Condition condition) => (condition.Status is false && Needed.Contains(condition.Type)) || condition.SaysNotRead();

    private IReadOnlyList<HostNews> EndOf(DeploymentStatus deployment, StatusDocument status) => deployment.End switch
    {
        null => [],
        DeploymentEnd.Succeeded => EndOfSuccess(deployment, status),
        DeploymentEnd.Failed => Ended(FollowEnd.Failed, deployment.Message, deployment.EndedAt, deployment.Failure),
        DeploymentEnd.RolledBack => Ended(FollowEnd.RolledBack, deployment.Message, deployment.EndedAt, deployment.Failure),
        DeploymentEnd.Cancelled => Ended(FollowEnd.Superseded, $"{deployment.Message} {TriedAgain}", deployment.EndedAt),
        _ => Ended(FollowEnd.Superseded, Superseded(deployment.Message, status), deployment.EndedAt),
    };

    private IReadOnlyList<HostNews> EndOfSuccess(DeploymentStatus deployment, StatusDocument status)
    {
        var serves = status.Active == Hash;
        if (deployment.Kind == DeploymentKind.Launch && !serves)
        {
            return Ended(FollowEnd.StandsBy, $"{deployment.Message} wunderproxy switch {Words.Short(Hash)} moves traffic to it.", deployment.EndedAt);
        }

        var release = ReleaseIn(status);
        if (throughProbation)
        {
            return (serves, release?.Phase) switch
            {
                (true, ReleasePhase.Active) => Ended(FollowEnd.Serves, "It serves, and its probation is over.", status.At),
                (true, _) => [],
                _ => Ended(FollowEnd.Superseded, Superseded("Another release got the traffic while it was on probation.", status), status.At),
            };
        }

        return Ended(FollowEnd.Serves, $"It serves.{Probation(status)}", deployment.EndedAt);
    }

    // What the host makes of current.json is known where it tells which one it has read.
    private IReadOnlyList<HostNews> EndWithoutDeployment(StatusDocument status)
    {
        if (goal is not FollowGoal.Published published)
        {
            return Ended(FollowEnd.Superseded, "The host doesn't know the deployment any more; wunderproxy status shows what serves.");
        }

        if (status.Current is not { } current)
        {
            return [];
        }

        if (current.ETag != published.ETag)
        {
            var isAnother = current.ETag is not null && current.ETag != before?.Current?.ETag;
            return isAnother ? Ended(FollowEnd.Superseded, Superseded("current.json was replaced before this host had read it.", status), status.At) : [];
        }

        return current.Problem is { } problem ? Ended(FollowEnd.Refused, $"This host can't use it, and goes on with what it has. {problem}", status.At) : EndOfSame(status);
    }

    // The host had this very document already, and so it begins nothing.
    private IReadOnlyList<HostNews> EndOfSame(StatusDocument status) => (status.Pin, ReleaseIn(status)) switch
    {
        ({ } pin, _) when pin.Hash != Hash => Ended(
            FollowEnd.Refused,
            $"A switch holds this host at {Words.Name(pin.Revision, pin.Hash)} until current.json changes, and it was this very document already. wunderproxy switch {Words.Short(Hash)} moves traffic.",
            status.At),
        (_, { Phase: ReleasePhase.Rejected } rejected) => Ended(
            FollowEnd.Failed,
            $"It has failed here before, and current.json was this very document already, so it isn't tried again. {rejected.Failure?.Message} wunderproxy launch {Words.Short(Hash)} tries it once more.",
            status.At,
            rejected.Failure),
        (_, _) when status.Desired is { GivenUp: true } desired && desired.Hash == Hash => Ended(
            FollowEnd.Refused, $"It was withdrawn here, and current.json was this very document already. {TriedAgain}", status.At),
        (_, { Phase: ReleasePhase.Active or ReleasePhase.Probation }) => Ended(FollowEnd.Serves, "It served already; there was nothing to do.", status.At),
        _ => [],
    };

    private IReadOnlyList<HostNews> Ended(FollowEnd end, string? message, DateTimeOffset? at = null, FailureEvidence? failure = null)
    {
        End = end;
        return [News(NewsKind.End, at) with { End = end, Message = message, Failure = failure }];
    }

    private HostNews News(NewsKind kind, DateTimeOffset? at = null) => new() { News = kind, Host = Host, Hash = Hash, At = at };

    private ReleaseStatus? ReleaseIn(StatusDocument status) => status.Releases.FirstOrDefault(release => release.Hash == Hash);

    private static string Probation(StatusDocument status) =>
        status.Releases.FirstOrDefault(release => release.Phase is ReleasePhase.Draining) is { } former
            ? $" {Words.Name(former.Revision, former.Hash)} finishes its requests and stays warm for the time of probation."
            : "";

    private static string Superseded(string? message, StatusDocument status) => (status.Pin ?? status.Desired) is { } winner
        ? $"{message} Wanted is {Words.Name(winner.Revision, winner.Hash)} now."
        : message ?? "";

    private string DoingOf(StatusDocument status, DeploymentProgress? progress)
    {
        var release = ReleaseIn(status);
        var phase = release is null ? "has not begun here" : Words.Of(release.Phase);
        return $"{Words.Short(Hash)} {phase}{FarIn(release?.Phase, progress)}. {status.Plan.Reason.TrimEnd('.')}.";
    }

    private static string FarIn(ReleasePhase? phase, DeploymentProgress? progress) => (phase, progress) switch
    {
        (ReleasePhase.Pulling, { PulledBytes: { } pulled, TotalBytes: { } total }) => $": {Words.Size(pulled)} of {Words.Size(total)}",
        (ReleasePhase.Verifying, { Probes: > 0 and var probes, LastProbe: { } answer }) => string.Create(CultureInfo.InvariantCulture, $" (asked {probes} times, last answer: {answer})"),
        (_, { Draining: > 0 and var draining }) => string.Create(CultureInfo.InvariantCulture, $"; {draining} requests and streams still run on what it replaces"),
        _ => "",
    };
}
