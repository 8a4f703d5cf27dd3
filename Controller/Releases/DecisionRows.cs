using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Rows that bring the journal up to date with what was decided and with what has happened. They have no effects.</summary>
internal static class DecisionRows
{
    public static IReadOnlyList<Row> All { get; } =
    [
        new("Deploy", "current.json names another release, or the same one anew", "it is the desired release; the pin is lifted", Deploy),
        new("Unsettle", "current.json can't be used any more, and a switch is in force or the desired release was given up", "the next usable current.json is a new decision, even if it is the former one", Unsettle),
        new("End", "a deployment has reached its end or its deadline", "the end is noted", End),
        new("Blind", "the containers are not known", "nothing, until the engine answers", Blind),
        new("Adopt", "the state file is new or was rebuilt", "the running release is taken over as it is", Adopt),
        new("CatchUp", "the Proxy has seen a newer fence or snapshot than the journal gave out", "the journal counts on from there", CatchUp),
        new("Verified", "the active container is ready in a run that the journal doesn't know", "the run is noted", Verified),
        new("Conclude", "the release of the canary neither stands by any more nor is about to have all the traffic", "the canary is over", Conclude),
    ];

    private static Step? Deploy(Situation s)
    {
        if (s.Seen.Current is not CurrentDocument.Valid current || (s.Journal.Desired?.ETag == current.ETag && (s.Journal.Pin is not { } pin || pin.ETag == current.ETag)))
            return null;
        var desired = new Decision(current.Hash, current.ETag, s.Now, s.ConfigurationOf(current.Hash)?.ForceReload ?? false);
        var deployment = new Deployment
        {
            Id = s.Journal.NextDeploymentId(DeploymentKind.Deploy, s.Now),
            Kind = DeploymentKind.Deploy,
            Hash = current.Hash,
            AcceptedAt = s.Now,
            Deadline = s.Now + s.Settings.ProgressDeadline,
        };
        return new Step("Deploy", "current.json has changed") { Journal = s.Journal.WithDesired(desired, deployment) };
    }

    // Whoever published what can't be used wanted something else than what is in force; so does whoever corrects it, be it by the document from before.
    private static Step? Unsettle(Situation s)
    {
        if (s.Seen.Current is not CurrentDocument.Invalid { ETag: var etag })
            return null;
        var journal = s.Journal;
        if (journal.Pin is { } pin && pin.ETag != etag)
            journal = journal with { Pin = pin with { ETag = etag } };
        if (journal.Desired is { GivenUp: true } desired && desired.ETag != etag)
            journal = journal with { Desired = desired with { ETag = etag } };
        return journal == s.Journal ? null : new Step("Unsettle", "current.json has changed, and can't be used") { Journal = journal };
    }

    private static Step? Blind(Situation s) =>
        s.Seen.Containers is Fact<ValueList<ContainerFact>>.Unknown unknown ? new Step("Blind", unknown.Reason) : null;

    private static Step? Adopt(Situation s)
    {
        if (!s.Journal.NeedsAdoption)
            return null;
        if (!s.ProxyIsKnown && s.Containers.Count > 0)
        {
            s.Note("The Proxy isn't reached; it knows which release serves");
            return new Step("Adopt", s.Wait.Reason);
        }

        // After a power cut nothing runs, but the Proxy knows to which container it sent requests last.
        var active = s.Containers.Where(c => c.IsRunning || s.IsTarget(c)).OrderByDescending(c => c.IsRunning).ThenByDescending(s.IsTarget).ThenByDescending(c => c.StartedAt).FirstOrDefault();
        return new Step("Adopt", "Took over the containers that are here")
        {
            Journal = s.Journal with
            {
                NeedsAdoption = false,
                Active = active is null ? null : new ActiveRelease(active.Ref, s.Now, null, null),
                Retained = s.Containers.Where(c => !c.IsRunning && c != active).MaxBy(c => c.FinishedAt)?.Ref,
                History = active is null ? [] : [active.Ref.Hash],
                Incarnation = s.Containers.Select(c => c.Ref.Incarnation).DefaultIfEmpty(0).Max(),
            },
        };
    }

    private static Step? CatchUp(Situation s) =>
        s.Proxy is { } proxy && (proxy.Fence > s.Journal.Fence || proxy.Generation > s.Journal.SnapshotGeneration)
            ? new Step("CatchUp", "The Proxy has seen a newer fence or snapshot")
            {
                Journal = s.Journal with
                {
                    Fence = Math.Max(s.Journal.Fence, proxy.Fence),
                    SnapshotGeneration = Math.Max(s.Journal.SnapshotGeneration, proxy.Generation),
                },
            }
            : null;

    private static Step? Verified(Situation s) =>
        s.Journal.Active is { } active && s.Active is { IsReady: true } container && (active.VerifiedId != container.Id || active.VerifiedStart != container.StartedAt)
            ? new Step("Verified", "The active release is ready") { Journal = s.Journal with { Active = active with { VerifiedId = container.Id, VerifiedStart = container.StartedAt } } }
            : null;

    private static Step? Conclude(Situation s) =>
        s.Journal.Canary is { } canary && s.Journal.CandidateOf(canary.Hash) is null && s.Journal.Switch?.To.Hash != canary.Hash
            ? new Step("Conclude", $"The canary of {canary.Hash[..12]} is over") { Journal = s.Journal with { Canary = null } }
            : null;

    private static Step? End(Situation s)
    {
        foreach (var deployment in s.Journal.Deployments.Where(d => d.End is null))
        {
            if (EndOf(s, deployment) is { } journal)
                return new Step("End", $"{deployment.Kind} of {deployment.Hash[..12]} has ended") { Journal = journal };
            s.LookAgain(deployment.Deadline);
        }

        return null;
    }

    private static Journal? EndOf(Situation s, Deployment deployment)
    {
        var ended = (DeploymentEnd end, string message, FailureEvidence? failure) => s.Journal.WithEnd(deployment.Id, end, s.Now, message, failure);
        var hash = deployment.Hash;
        if (s.Journal.RejectionOf(hash) is { } rejection)
            return ended(DeploymentEnd.Failed, rejection.Evidence.Message, rejection.Evidence);
        if (HasSucceeded(s, deployment) is { } success)
            return ended(DeploymentEnd.Succeeded, success, null);
        if (IsSuperseded(s, deployment))
            return ended(DeploymentEnd.Superseded, "A newer decision took its place.", null);
        return s.Now >= deployment.Deadline ? Expired(s, deployment) : null;
    }

    private static string? HasSucceeded(Situation s, Deployment deployment)
    {
        var serves = s.Journal.Active?.Ref.Hash == deployment.Hash && s.Journal.Switch is null && (deployment.Kind == DeploymentKind.Launch || !s.NeedsRollout);
        if (serves)
            return "The release serves.";
        return deployment.Kind == DeploymentKind.Launch && s.Find(s.Journal.CandidateOf(deployment.Hash)?.Ref) is { IsReady: true }
            ? "The release is healthy and stands by."
            : null;
    }

    private static bool IsSuperseded(Situation s, Deployment deployment) => deployment.Kind == DeploymentKind.Launch
        ? s.Journal.CandidateOf(deployment.Hash) is null && s.Journal.Switch?.To.Hash != deployment.Hash
        : s.Decision?.Hash != deployment.Hash;

    // What couldn't be done in time for a reason outside the release never rejects it: a desired release is tried on, an order is given up.
    private static Journal Expired(Situation s, Deployment deployment)
    {
        var why = s.Seen.Failures.Values.Where(f => f.At >= deployment.AcceptedAt).MaxBy(f => f.At)?.Message ?? "It took longer than it may.";
        var next = deployment.Kind switch
        {
            DeploymentKind.Deploy => "It is tried on.",
            _ => "It was given up; order it again once the cause is gone.",
        };
        var failure = new FailureEvidence { Class = FailureClass.DeadlineExceeded, Message = $"{why} {next}", At = s.Now };
        var journal = s.Journal.WithEnd(deployment.Id, DeploymentEnd.Failed, s.Now, failure.Message, failure);
        return deployment.Kind switch
        {
            DeploymentKind.Launch => journal with { Candidates = journal.Candidates.RemoveAll(c => c.Ref.Hash == deployment.Hash && c.Goal == CandidateGoal.Standby) },
            DeploymentKind.Switch when journal.Pin is { } pin => journal with { Pin = pin with { GivenUp = true } },
            _ => journal,
        };
    }
}
