using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>The phase of a release: a function of facts, never stored.</summary>
internal static class ReleasePhases
{
    /// <summary>Where a release is in its life.</summary>
    public static ReleasePhase PhaseOf(Situation s, string hash)
    {
        if (s.Journal.Switch?.To.Hash == hash)
            return ReleasePhase.Activating;
        if (s.Journal.Active?.Ref.Hash == hash)
            return PhaseOfActive(s);
        if (s.Journal.CandidateOf(hash) is { } candidate)
            return PhaseOfCandidate(s, candidate);
        if (s.Journal.Drains.LastOrDefault(d => d.Ref.Hash == hash) is { } draining)
            return IsStopping(s, draining.Ref) ? ReleasePhase.Stopping : ReleasePhase.Draining;
        if (s.Journal.Retained?.Hash == hash)
            return ReleasePhase.Retained;
        if (s.Journal.RejectionOf(hash) is not null)
            return ReleasePhase.Rejected;
        if (s.Containers.FirstOrDefault(c => c.Ref.Hash == hash) is { } leftover)
            return IsStopping(s, leftover.Ref) ? ReleasePhase.Stopping : ReleasePhase.Superseded;
        return s.Wanted == hash ? ReleasePhase.Accepted : ReleasePhase.Removed;
    }

    private static ReleasePhase PhaseOfActive(Situation s)
    {
        if (s.Active is not { IsReady: true })
            return ReleasePhase.Recovering;
        return s.Journal.Drains.Any(d => s.Now < d.WarmUntil) ? ReleasePhase.Probation : ReleasePhase.Active;
    }

    private static ReleasePhase PhaseOfCandidate(Situation s, Candidate candidate)
    {
        var working = s.Seen.Working.FirstOrDefault(e => e.Subject == candidate.Ref.Name || e is Effect.Pull pull && pull.Hash == candidate.Ref.Hash);
        return working switch
        {
            Effect.Pull => ReleasePhase.Pulling,
            Effect.Create => ReleasePhase.Creating,
            Effect.Start => ReleasePhase.Starting,
            _ => s.Find(candidate.Ref) switch
            {
                { IsReady: true } => ReleasePhase.Standby,
                { IsRunning: true } => ReleasePhase.Verifying,
                _ => IsBackingOff(s, candidate) ? ReleasePhase.BackingOff : s.Find(candidate.Ref) is null ? ReleasePhase.Accepted : ReleasePhase.Starting,
            },
        };
    }

    private static bool IsBackingOff(Situation s, Candidate candidate) =>
        s.Journal.AttemptsOf(candidate.Ref.Hash) is { } attempts && s.Now < attempts.BackoffUntil
        || s.Seen.Failures.Values.Any(f => f.RetryAt > s.Now && (f.Effect.Subject == candidate.Ref.Name || f.Effect is Effect.Pull pull && pull.Hash == candidate.Ref.Hash));

    private static bool IsStopping(Situation s, ContainerRef container) => s.Seen.Working.Any(e => e is Effect.Stop or Effect.Remove && e.Subject == container.Name);
}
