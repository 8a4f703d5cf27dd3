using System.Reflection;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>Makes the status document from the facts.</summary>
internal sealed class StatusBuilder(DeploymentLog log, ConditionBoard conditions, Func<string, PullProgress?> pullOf)
{
    private static readonly string Version = typeof(StatusBuilder).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    /// <summary>What is said before anything was observed.</summary>
    public static StatusDocument BeforeFirstPass(PlanSettings settings, DateTimeOffset now) => new()
    {
        Requests = 0,
        TotalTime = 0,
        States = new Dictionary<string, long>(),
        HeapSize = 0,
        MaintenanceMode = false,
        DockerState = "Not looked at yet",
        Application = settings.Application,
        Installation = settings.Installation,
        Version = Version,
        At = now,
        Plan = new PlanStatus("Starting", "The Controller is starting", null, []),
    };

    public StatusDocument Build(Situation s, Step step, ProxyStatus? proxy, IReadOnlyList<string> working, IReadOnlyList<AutomaticCertificate> certificates)
    {
        var total = proxy?.Applications.FirstOrDefault(a => a.Application == s.Settings.Application)?.Total;
        return new StatusDocument
        {
            Requests = total?.Requests ?? 0,
            TotalTime = total?.TotalSeconds ?? 0,
            States = proxy?.Connections ?? new Dictionary<string, long>(),
            HeapSize = GC.GetTotalMemory(forceFullCollection: false),
            MaintenanceMode = s.Journal.Maintenance,
            Paused = s.Journal.IsPaused,
            Canary = s.Journal.Canary is { } canary ? new CanaryStatus(canary.Hash, canary.Percent) : null,
            DockerState = conditions.Conditions.FirstOrDefault(c => c.Type == "DockerReachable") is { Status: not true } lost ? lost.Message : "Ok",
            Application = s.Settings.Application,
            Installation = s.Settings.Installation,
            Version = Version,
            At = s.Now,
            Desired = Decided(s, s.Journal.Desired),
            Current = CurrentOf(s.Seen.Current),
            Pin = Decided(s, s.Journal.Pin),
            Active = s.Journal.Active?.Ref.Hash,
            Conditions = conditions.Conditions,
            Releases = [.. HashesOf(s).Select(hash => ReleaseOf(s, hash))],
            Deployments = [.. s.Journal.Deployments.Select(d => DeploymentOf(s, d))],
            AutomaticCertificates = certificates,
            Plan = new PlanStatus(step.Row, step.Reason, step.LookAgainAt, working),
            Proxy = proxy,
        };
    }

    /// <summary>A deployment as the API shows it.</summary>
    public DeploymentStatus DeploymentOf(Situation s, Deployment deployment)
    {
        var container = ContainerOf(s, deployment.Hash);
        return new DeploymentStatus
        {
            Id = deployment.Id,
            Kind = deployment.Kind,
            Hash = deployment.Hash,
            Revision = RevisionOf(s, deployment.Hash),
            AcceptedAt = deployment.AcceptedAt,
            Deadline = deployment.Deadline,
            End = deployment.End,
            EndedAt = deployment.EndedAt,
            Message = deployment.Message ?? s.Wait.Reason,
            Failure = deployment.Failure,
            Phases = log.PhasesOf(deployment),
            Progress = ProgressOf(s, deployment, container),
            ContainerId = container?.Id,
            Port = s.Seen.Configurations.GetValueOrDefault(deployment.Hash)?.ValueOrDefault?.ContainerPort,
        };
    }

    private DeploymentProgress? ProgressOf(Situation s, Deployment deployment, ContainerFact? container)
    {
        var draining = s.Journal.Active?.Ref.Hash == deployment.Hash ? s.Proxy?.Targets.Where(target => target.DrainingSince is not null).Sum(target => target.InFlight + target.Streams) ?? 0 : 0;
        if (deployment.End is not null && (draining == 0 || s.Journal.Deployments[0].Id != deployment.Id))
            return null;
        var pull = pullOf(deployment.Hash);
        return new DeploymentProgress
        {
            PulledBytes = pull?.Bytes,
            TotalBytes = pull?.TotalBytes,
            Probes = container?.Verdict.Probes ?? 0,
            LastProbe = container is { IsReady: false } ? container.Verdict.LastAnswer : null,
            Draining = draining,
        };
    }

    private static ReleaseStatus ReleaseOf(Situation s, string hash)
    {
        var container = ContainerOf(s, hash);
        return new ReleaseStatus
        {
            Hash = hash,
            Revision = RevisionOf(s, hash),
            Phase = ReleasePhases.PhaseOf(s, hash),
            Since = SinceOf(s, hash),
            Container = container?.Ref.Name,
            ContainerId = container?.Id,
            Address = container?.Address,
            LastProbe = container?.Verdict.LastAnswer,
            Attempts = s.Journal.AttemptsOf(hash)?.Count ?? 0,
            BackoffUntil = s.Journal.AttemptsOf(hash)?.BackoffUntil ?? (s.Journal.Active?.Ref.Hash == hash && s.Active is { IsRunning: false } ? s.Journal.Crashes?.BackoffUntil : null),
            Deadline = s.Journal.Drains.FirstOrDefault(d => d.Ref.Hash == hash)?.Deadline ?? s.Journal.Deployments.FirstOrDefault(d => d.Hash == hash && d.End is null)?.Deadline,
            Failure = s.Journal.RejectionOf(hash)?.Evidence,
            Traffic = s.Proxy?.Targets.FirstOrDefault(t => t.Target.Release == hash),
        };
    }

    private static IEnumerable<string> HashesOf(Situation s) => new[] { s.Journal.Active?.Ref.Hash }.OfType<string>()
        .Concat(s.Journal.Candidates.Select(c => c.Ref.Hash))
        .Concat(s.Journal.Drains.Reverse().Select(d => d.Ref.Hash))
        .Concat(s.Containers.Select(c => c.Ref.Hash))
        .Concat(s.Journal.Quarantine.Reverse().Select(r => r.Hash))
        .Distinct(StringComparer.Ordinal);

    private static ContainerFact? ContainerOf(Situation s, string hash) => s.Journal.Active?.Ref.Hash == hash && s.Active is { } active
        ? active
        : s.Find(s.Journal.CandidateOf(hash)?.Ref) ?? s.Containers.Where(c => c.Ref.Hash == hash).MaxBy(c => c.Ref.Incarnation);

    private static DateTimeOffset? SinceOf(Situation s, string hash) => s.Journal.Active is { } active && active.Ref.Hash == hash
        ? active.Since
        : s.Journal.CandidateOf(hash)?.Since ?? s.Journal.Drains.FirstOrDefault(d => d.Ref.Hash == hash)?.Since;

    private static string RevisionOf(Situation s, string hash) =>
        s.Seen.Configurations.GetValueOrDefault(hash)?.ValueOrDefault?.Revision
        ?? s.Proxy?.Targets.FirstOrDefault(t => t.Target.Release == hash)?.Target.Revision
        ?? s.Journal.Deployments.FirstOrDefault(d => d.Hash == hash && d.Revision is not null)?.Revision
        ?? "";

    private static CurrentStatus? CurrentOf(CurrentDocument document) => document switch
    {
        CurrentDocument.Valid valid => new CurrentStatus(valid.ETag, null),
        CurrentDocument.Invalid invalid => new CurrentStatus(invalid.ETag, invalid.Reason),
        CurrentDocument.Absent => new CurrentStatus(null, null),
        _ => null,
    };

    private static DesiredRelease? Decided(Situation s, Decision? decision) =>
        decision is null ? null : new DesiredRelease(decision.Hash, RevisionOf(s, decision.Hash), decision.At, decision.GivenUp);
}
