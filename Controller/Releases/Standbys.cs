using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Finds the release that stands by and that some requests are to go to before the switch.</summary>
internal static class Standbys
{
    /// <summary>Finds it: the one that has a share of the clients, else the one that was launched last, where somebody may see it.</summary>
    /// <param name="s">The situation.</param>
    /// <param name="standby">It; absent: there is none.</param>
    /// <returns><see langword="false"/> if it can't be told yet, so that the Proxy is to be left as it is.</returns>
    public static bool TryFind(Situation s, out Standby? standby)
    {
        standby = null;
        foreach (var candidate in s.Journal.Candidates.Reverse().OrderByDescending(c => c.Ref.Hash == s.Journal.Canary?.Hash))
        {
            if (s.Find(candidate.Ref) is not { Address: not null, StartedAt: not null } container || !MayBeShown(s, candidate, container))
                continue;
            if (s.Seen.Configurations.GetValueOrDefault(candidate.Ref.Hash)?.ValueOrDefault is not { } configuration)
            {
                if (s.IsShown(container))
                    return false;
                continue;
            }

            standby = Of(s, container, configuration);
            if (standby is not null)
                return true;
        }

        return true;
    }

    /// <summary>The release that stands by as the Proxy knows it, where it is the one that it is to know; absent: there is none.</summary>
    public static Standby? Kept(Situation s) => TryFind(s, out var standby) && IsKnown(s, standby) ? standby : null;

    /// <summary>Whether the Proxy knows it so.</summary>
    public static bool IsKnown(Situation s, Standby? standby) => (s.Proxy?.Standby, standby) switch
    {
        (null, null) => true,
        ({ } known, { } wanted) => known.Target.IsSameAs(wanted.Target) && known.Percent == (wanted.Canary?.Percent ?? 0),
        _ => false,
    };

    // One that is about to have all the traffic keeps its share until then. One that gets requests, and isn't probed yet since the Controller started, goes on with them.
    private static bool MayBeShown(Situation s, Candidate candidate, ContainerFact container)
    {
        var isShown = s.IsShown(container) && s.Proxy!.Standby!.Target.StartedAt == container.StartedAt && s.Proxy.Standby.Target.Address == container.Address;
        var isReady = container.IsReady || (isShown && container is { IsRunning: true, Verdict: { State: Readiness.Unverified, LastFailure: null } } && !s.IsStopping(container));
        return isReady && (isShown || candidate.Goal == CandidateGoal.Standby);
    }

    private static Standby? Of(Situation s, ContainerFact container, LaunchConfiguration configuration)
    {
        var canary = s.Journal is { Canary: { } running, CanaryKey: { } key } && running.Hash == container.Ref.Hash
            ? new Canary { Percent = running.Percent, Header = configuration.Canary.Header, Key = Convert.FromBase64String(key.Base64) }
            : null;
        return canary is null && configuration.Preview is null ? null : new Standby
        {
            Target = Snapshots.TargetOf(container, configuration),
            Preview = configuration.Preview,
            Canary = canary,
            DrainTimeout = configuration.Drain.Timeout,
            StreamDrainTimeout = configuration.Drain.StreamTimeout,
        };
    }
}
