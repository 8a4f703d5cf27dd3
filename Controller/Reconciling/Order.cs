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

    /// <summary>Why it can't be taken as things are, and what to do; absent: it can.</summary>
    public virtual string? RefusalIn(Journal journal) => null;

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

    /// <summary>Withdraw every deployment that is under way: what serves, serves on. A decision that was withdrawn isn't tried again by itself.</summary>
    internal sealed record Abort : Order
    {
        private const string Withdrawn = "It was withdrawn.";

        public override string? RefusalIn(Journal journal) =>
            journal.Switch is { } intent ? $"Traffic is just being moved to {intent.To.Hash[..12]}, which can't be withdrawn any more. Roll back once it serves."
            : Running(journal).Any() ? null
            : "No deployment is under way, so there is nothing to withdraw. Roll back what serves already.";

        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings)
        {
            var withdrawn = Running(journal).Aggregate(journal, (after, deployment) => Without(after, deployment).WithEnd(deployment.Id, DeploymentEnd.Cancelled, now, Withdrawn));
            return (withdrawn, null);
        }

        private static IEnumerable<Deployment> Running(Journal journal) => journal.Deployments.Where(d => d.End is null);

        private static Journal Without(Journal journal, Deployment deployment) => deployment.Kind switch
        {
            DeploymentKind.Launch => journal with { Candidates = journal.Candidates.RemoveAll(c => c.Ref.Hash == deployment.Hash && c.Goal == CandidateGoal.Standby) },
            DeploymentKind.Switch when journal.Pin is { } pin && pin.Hash == deployment.Hash => journal with { Pin = pin with { GivenUp = true } },
            DeploymentKind.Deploy when journal.Desired is { } desired && desired.Hash == deployment.Hash => journal with { Desired = desired with { GivenUp = true } },
            _ => journal,
        };
    }

    /// <summary>Try the latest deployment again, which didn't succeed.</summary>
    internal sealed record Retry : Order
    {
        public override string? RefusalIn(Journal journal) => journal.Deployments is not [var latest, ..]
            ? "Nothing was deployed yet, so there is nothing to try again."
            : latest switch
            {
                { End: null } => $"The deployment of {latest.Hash[..12]} is under way. Wait for its end, or withdraw it first.",
                { End: DeploymentEnd.Succeeded } => $"The latest deployment, of {latest.Hash[..12]}, succeeded, so there is nothing to try again.",
                { Kind: DeploymentKind.Deploy } when journal.Desired?.Hash != latest.Hash => $"current.json doesn't name {latest.Hash[..12]} any more. Publish it again, or switch to it.",
                _ => null,
            };

        public override (Journal Journal, Deployment? Deployment) ApplyTo(Journal journal, DateTimeOffset now, PlanSettings settings)
        {
            var latest = journal.Deployments[0];
            return latest.Kind switch
            {
                DeploymentKind.Launch => new Launch(latest.Hash).ApplyTo(journal, now, settings),
                DeploymentKind.Switch => new Switch(latest.Hash, journal.Pin?.Force ?? false).ApplyTo(journal, now, settings),
                _ => Deployed(journal, journal.Desired!, now, settings),
            };
        }

        private static (Journal Journal, Deployment? Deployment) Deployed(Journal journal, Decision desired, DateTimeOffset now, PlanSettings settings)
        {
            var deployment = Begin(DeploymentKind.Deploy, desired.Hash, now, settings, journal);
            return (journal.WithDesired(desired with { At = now, GivenUp = false }, deployment), deployment);
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
