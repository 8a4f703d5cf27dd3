using System.Collections.Concurrent;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Metering;

/// <summary>How the deployments that ended since the Controller started went. Safe from any thread.</summary>
internal sealed class DeploymentCounts
{
    private static readonly double[] Limits = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

    private readonly ConcurrentDictionary<(DeploymentKind Kind, DeploymentEnd End), long> _ends = new();
    private readonly ConcurrentDictionary<ReleasePhase, DurationHistogram> _phases = new();
    private readonly DurationHistogram _whole = new(Limits);

    /// <summary>Counts a deployment that has ended.</summary>
    public void Ended(DeploymentStatus deployment)
    {
        if (deployment is not { End: { } end, EndedAt: { } at })
        {
            return;
        }

        _ends.AddOrUpdate((deployment.Kind, end), 1, (_, count) => count + 1);
        if (end == DeploymentEnd.RolledBack)
        {
            // It was counted when it had succeeded.
            return;
        }

        _whole.Record(at - deployment.AcceptedAt);
        foreach (var phase in PhaseSpan.Of(deployment))
        {
            _phases.GetOrAdd(phase.Phase, _ => new DurationHistogram(Limits)).Record(phase.End - phase.Begin);
        }
    }

    /// <summary>The counts as metrics.</summary>
    public IEnumerable<MetricFamily> ToMetrics()
    {
        yield return new MetricFamily(
            "wunderproxy_deployments_total",
            MetricKind.Counter,
            "Deployments that have ended, by what was asked for and how they ended; one that is rolled back had succeeded before, and counts as both.",
            [.. _ends.OrderBy(end => end.Key).Select(end => new MetricSample([("kind", end.Key.Kind.ToString()), ("end", end.Key.End.ToString())], end.Value))]);
        yield return new MetricFamily("wunderproxy_deployment_duration_seconds", MetricKind.Histogram, "How long deployments took until they ended.", [_whole.ToSample()]);
        yield return new MetricFamily(
            "wunderproxy_deployment_phase_duration_seconds",
            MetricKind.Histogram,
            "How long deployments were in each phase.",
            [.. _phases.OrderBy(phase => phase.Key).Select(phase => phase.Value.ToSample(("phase", phase.Key.ToString())))]);
    }
}
