using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Events;

/// <summary>
/// Tells what has happened from two statuses. So nothing has to be noted while nobody listens: whoever comes back gets what lies between the status that was told last and the one that
/// is so now.
/// </summary>
internal static class HostEvents
{
    /// <summary>What has happened between two statuses, in the order of its times.</summary>
    public static IReadOnlyList<HostEvent> Between(StatusDocument before, StatusDocument now) =>
    [
        .. now.Deployments.SelectMany(deployment => OfDeployment(before.Deployments.FirstOrDefault(d => d.Id == deployment.Id), deployment))
            .Concat(OfSwitch(before, now))
            .Concat(OfDrains(before, now))
            .OrderBy(e => e.At),
    ];

    private static IEnumerable<HostEvent> OfDeployment(DeploymentStatus? before, DeploymentStatus now)
    {
        if (before is null)
        {
            yield return Of(HostEventKind.DeploymentAccepted, now, now.AcceptedAt);
        }

        foreach (var entry in now.Phases.Skip(before?.Phases.Count ?? 0))
        {
            yield return Of(HostEventKind.PhaseChanged, now, entry.At) with { Phase = entry.Phase };
        }

        // One that had succeeded ends once more where it is rolled back.
        if (now.End is not null && now.End != before?.End)
        {
            yield return Of(HostEventKind.DeploymentEnded, now, now.EndedAt ?? now.AcceptedAt) with { End = now.End, Message = now.Failure?.Message ?? now.Message };
        }
    }

    private static HostEvent Of(HostEventKind kind, DeploymentStatus deployment, DateTimeOffset at) => new()
    {
        Event = kind,
        At = at,
        Hash = deployment.Hash,
        Revision = deployment.Revision,
        Deployment = deployment.Id,
        Kind = deployment.Kind,
    };

    private static IEnumerable<HostEvent> OfSwitch(StatusDocument before, StatusDocument now)
    {
        if (now.Active is { } active && active != before.Active)
        {
            var release = now.Releases.FirstOrDefault(r => r.Hash == active);
            yield return new HostEvent { Event = HostEventKind.TrafficSwitched, At = release?.Since ?? now.At, Hash = active, Revision = release?.Revision ?? "", From = before.Active };
        }
    }

    private static IEnumerable<HostEvent> OfDrains(StatusDocument before, StatusDocument now)
    {
        foreach (var release in before.Releases.Where(r => !HasDrained(r.Traffic)))
        {
            var later = now.Releases.FirstOrDefault(r => r.Hash == release.Hash);
            var isOver = later is null ? release.Traffic is { DrainingSince: not null } : HasDrained(later.Traffic);
            if (isOver)
            {
                yield return new HostEvent { Event = HostEventKind.DrainEnded, At = now.At, Hash = release.Hash, Revision = release.Revision };
            }
        }
    }

    private static bool HasDrained(TargetTraffic? traffic) => traffic is { DrainingSince: not null, InFlight: 0, Streams: 0 };
}
