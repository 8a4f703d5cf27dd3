using System.Globalization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Containers;

namespace Wunderproxy.Controller.Journaling;

/// <summary>The changes that decisions make to a journal. Each is pure.</summary>
internal static class JournalChanges
{
    private const int KeptDeployments = 20;
    private const int KeptHistory = 10;

    extension(Journal journal)
    {
        /// <summary>The decision in force.</summary>
        public Decision? Decided => journal.Pin ?? journal.Desired;

        public RejectedRelease? RejectionOf(string hash) => journal.Quarantine.FirstOrDefault(r => r.Hash == hash);

        public Candidate? CandidateOf(string hash) => journal.Candidates.FirstOrDefault(c => c.Ref.Hash == hash);

        public Attempts? AttemptsOf(string hash) => journal.Attempts.FirstOrDefault(a => a.Hash == hash);

        /// <summary>Every container that the journal gives a purpose.</summary>
        public IEnumerable<ContainerRef> Purposes =>
            new[] { journal.Active?.Ref, journal.Retained, journal.Switch?.From, journal.Switch?.To }
                .Concat(journal.Candidates.Select(c => c.Ref))
                .Concat(journal.Drains.Select(d => d.Ref))
                .OfType<ContainerRef>();

        /// <summary>A newer <c>current.json</c>: it lifts the pin, for the latest intent wins.</summary>
        public Journal WithDesired(Decision desired, Deployment deployment) => journal.Forgiven(desired.Hash).WithDeployment(deployment) with
        {
            Desired = desired,
            Pin = null,
        };

        /// <summary>A switch: it pins this host until <c>current.json</c> changes.</summary>
        public Journal WithPin(Decision pin, Deployment deployment) => journal.Forgiven(pin.Hash).WithDeployment(deployment) with { Pin = pin };

        /// <summary>A decision for a release clears what it failed at before.</summary>
        public Journal Forgiven(string hash) => journal with
        {
            Quarantine = journal.Quarantine.RemoveAll(r => r.Hash == hash),
            Attempts = journal.Attempts.RemoveAll(a => a.Hash == hash),
        };

        /// <summary>The id of a deployment that begins now: no other one that is remembered has it, be it from the same millisecond.</summary>
        public string NextDeploymentId(DeploymentKind kind, DateTimeOffset now) => Enumerable.Range(0, KeptDeployments + 1)
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"{kind.ToString().ToLowerInvariant()}-{now.ToUnixTimeMilliseconds()}-{number}"))
            .First(id => journal.Deployments.All(d => d.Id != id));

        public Journal WithDeployment(Deployment deployment) => journal with { Deployments = [deployment, .. journal.Deployments.Take(KeptDeployments - 1)] };

        public Journal WithEnd(string deploymentId, DeploymentEnd end, DateTimeOffset at, string message, FailureEvidence? failure = null) => journal with
        {
            Deployments = journal.Deployments.Replace(
                d => d.Id == deploymentId,
                d => d with { End = end, EndedAt = at, Message = message, Failure = failure }),
        };

        /// <summary>A release on its way: in the container that it has already, else in a new one.</summary>
        public Journal WithCandidate(string hash, CandidateGoal goal, DateTimeOffset at, string application)
        {
            if (journal.CandidateOf(hash) is not null)
                return journal with { Candidates = journal.Candidates.Replace(c => c.Ref.Hash == hash, c => c with { Goal = goal, Since = at }) };
            if (journal.Drains.LastOrDefault(d => d.Ref.Hash == hash) is { } draining)
                return journal.Without(draining.Ref).WithCandidate(new Candidate(draining.Ref, goal, at));
            if (journal.Retained is { } retained && retained.Hash == hash)
                return journal.Without(retained).WithCandidate(new Candidate(retained, goal, at));
            return journal.WithNewContainer(hash, goal, at, application);
        }

        /// <summary>A release on its way in a new container, even where it has one already.</summary>
        public Journal WithNewContainer(string hash, CandidateGoal goal, DateTimeOffset at, string application)
        {
            var (counted, container) = journal.NextContainer(hash, application);
            return counted.WithCandidate(new Candidate(container, goal, at));
        }

        /// <summary>The name of a container that never was.</summary>
        public (Journal Journal, ContainerRef Container) NextContainer(string hash, string application)
        {
            var incarnation = journal.Incarnation + 1;
            return (journal with { Incarnation = incarnation }, new ContainerRef(hash, incarnation, ContainerName.For(application, hash, incarnation)));
        }

        /// <summary>The journal without any purpose for a container: it becomes garbage.</summary>
        public Journal Without(ContainerRef container) => journal with
        {
            Candidates = journal.Candidates.RemoveAll(c => c.Ref == container),
            Drains = journal.Drains.RemoveAll(d => d.Ref == container),
            Retained = journal.Retained == container ? null : journal.Retained,
        };

        /// <summary>A candidate begins anew in another container; the old one becomes garbage.</summary>
        public Journal WithFreshContainer(Candidate candidate, string application)
        {
            var (counted, container) = journal.NextContainer(candidate.Ref.Hash, application);
            return counted with { Candidates = journal.Candidates.Replace(c => c == candidate, c => c with { Ref = container }) };
        }

        /// <summary>A release failed: it is not tried again until somebody decides anew.</summary>
        public Journal WithRejection(string hash, FailureEvidence evidence) => journal with
        {
            Quarantine = [.. journal.Quarantine.Where(r => r.Hash != hash).TakeLast(KeptDeployments - 1), new RejectedRelease(hash, evidence)],
            Candidates = journal.Candidates.RemoveAll(c => c.Ref.Hash == hash),
            Attempts = journal.Attempts.RemoveAll(a => a.Hash == hash),
        };

        /// <summary>The last log lines of a failed release, added to its evidence.</summary>
        public Journal WithLog(string hash, IReadOnlyList<string> lines) => journal with
        {
            Quarantine = journal.Quarantine.Replace(r => r.Hash == hash, r => r with { Evidence = r.Evidence with { Log = lines } }),
            Deployments = journal.Deployments.Replace(
                d => d.Hash == hash && d.Failure is { Log.Count: 0 },
                d => d with { Failure = d.Failure! with { Log = lines } }),
        };

        /// <summary>Traffic has moved: the new release is active, the former one drains and stays warm, every other one has lost its purpose.</summary>
        public Journal WithCommittedSwitch(SwitchIntent intent, Observing.ContainerFact to, DateTimeOffset now, TimeSpan probation, TimeSpan drain, Releases.TrafficSample? former = null) => journal.Forgiven(intent.To.Hash) with
        {
            Active = new ActiveRelease(intent.To, now, to.Id, to.StartedAt),
            Switch = null,
            Crashes = null,
            Candidates = [],
            History = [intent.To.Hash, .. journal.History.Where(h => h != intent.To.Hash).Take(KeptHistory - 1)],
            Drains =
            [
                .. journal.Drains.Where(d => d.Ref != intent.To && d.Ref != intent.From).Select(d => d with { WarmUntil = now }),
                .. intent.From is { } from && from != intent.To ? [new DrainingRelease(from, now, now + probation, now + drain, former)] : Array.Empty<DrainingRelease>(),
            ],
            Retained = journal.Retained == intent.To ? null : journal.Retained,
        };

        /// <summary>Traffic is to go back to a warm release without starting anything.</summary>
        public Journal WithFailBack(DrainingRelease warm, Observing.ContainerFact container, DateTimeOffset now) => journal with
        {
            Active = new ActiveRelease(warm.Ref, now, container.Id, container.StartedAt),
            Drains = journal.Drains.RemoveAll(d => d == warm),
            History = [warm.Ref.Hash, .. journal.History.Where(h => h != warm.Ref.Hash)],
            Crashes = null,
        };
    }

    private static Journal WithCandidate(this Journal journal, Candidate candidate) => journal with { Candidates = journal.Candidates.Add(candidate) };
}
