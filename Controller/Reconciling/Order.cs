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
        /// <summary>The share of clients that its configuration gives it at once; absent: none. Where another release has one, that one keeps it.</summary>
        public RunningCanary? Canary { get; init; }

        /// <summary>What cookies of such clients are signed with; absent: as before.</summary>
        public SigningKey? Key { get; init; }

        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings)
        {
            var deployment = Begin(DeploymentKind.Launch, Hash, now, settings, journal);
            var accepted = journal.Forgiven(Hash).WithDeployment(deployment);
            if (journal.Active?.Ref.Hash == Hash || journal.CandidateOf(Hash) is not null || journal.Switch?.To.Hash == Hash)
                return (accepted, deployment);
            var standbys = accepted.Candidates.Where(c => c.Goal == CandidateGoal.Standby).ToList();
            if (standbys.Count >= settings.MaxStandbys)
                accepted = accepted.Without(standbys[0].Ref);
            var launched = accepted with { Canary = accepted.Canary ?? Canary, CanaryKey = Key ?? accepted.CanaryKey };
            return (launched.WithCandidate(Hash, CandidateGoal.Standby, now, settings.Application), deployment);
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

    /// <summary>Give a release that stands by a share of the clients, another one, or none.</summary>
    /// <param name="Running">The share; absent: none.</param>
    /// <param name="Key">What cookies are signed with; absent: as before.</param>
    internal sealed record Share(RunningCanary? Running, SigningKey? Key) : Order
    {
        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings) =>
            (journal with { Canary = Running, CanaryKey = Key ?? journal.CanaryKey }, null);
    }

    /// <summary>Pause traffic, or let it go on.</summary>
    internal sealed record Pause(bool IsPaused) : Order
    {
        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings) =>
            (journal with { IsPaused = IsPaused }, null);
    }
}
