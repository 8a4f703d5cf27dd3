using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>What somebody asks for, as a pure change of the journal.</summary>
internal abstract record Order
{
    private Order()
    {
    }

    /// <summary>The journal once the order is accepted, and the deployment that it began, if any.</summary>
    public abstract (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings);

    private static Deployment Begin(DeploymentKind kind, string hash, DateTimeOffset now, PlanSettings settings, Journal journal) => new()
    {
        Id = journal.NextDeploymentId(kind, now),
        Kind = kind,
        Hash = hash,
        AcceptedAt = now,
        Deadline = now + settings.ProgressDeadline,
    };

    /// <summary>Start a release and check it, without traffic. Where as many stand by as may, the oldest makes room.</summary>
    internal sealed record Launch(string Hash) : Order
    {
        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings)
        {
            var deployment = Begin(DeploymentKind.Launch, Hash, now, settings, journal);
            var accepted = journal.Forgiven(Hash).WithDeployment(deployment);
            if (journal.Active?.Ref.Hash == Hash || journal.CandidateOf(Hash) is not null || journal.Switch?.To.Hash == Hash)
                return (accepted, deployment);
            var standbys = accepted.Candidates.Where(c => c.Goal == CandidateGoal.Standby).ToList();
            if (standbys.Count >= settings.MaxStandbys)
                accepted = accepted.Without(standbys[0].Ref);
            return (accepted.WithCandidate(Hash, CandidateGoal.Standby, now, settings.Application), deployment);
        }
    }

    /// <summary>Move this host's traffic to a release, until <c>current.json</c> changes.</summary>
    internal sealed record Switch(string Hash, bool Force) : Order
    {
        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings)
        {
            var deployment = Begin(DeploymentKind.Switch, Hash, now, settings, journal);
            return (journal.WithPin(new Decision(Hash, journal.Desired?.ETag, now, Force), deployment), deployment);
        }
    }

    /// <summary>Put maintenance up or down.</summary>
    internal sealed record Maintenance(bool Up) : Order
    {
        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings) =>
            (journal with { Maintenance = Up }, null);
    }

    /// <summary>Pause traffic, or let it go on.</summary>
    internal sealed record Pause(bool IsPaused) : Order
    {
        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings) =>
            (journal with { IsPaused = IsPaused }, null);
    }
}
