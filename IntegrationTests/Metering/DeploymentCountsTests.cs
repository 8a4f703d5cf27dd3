using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Metering;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Metering;

public sealed class DeploymentCountsTests
{
    private static readonly DateTimeOffset Begin = new(2026, 11, 27, 7, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Phases_last_until_the_next_one_or_the_end_and_the_one_reached_is_none_that_was_gone_through()
    {
        var deployment = Deployment("d1", 10, (ReleasePhase.Accepted, 0), (ReleasePhase.Pulling, 1), (ReleasePhase.Verifying, 4), (ReleasePhase.Active, 10.5));

        Assert.Equal(
            [(ReleasePhase.Accepted, 0, 1), (ReleasePhase.Pulling, 1, 4), (ReleasePhase.Verifying, 4, 10)],
            PhaseSpan.Of(deployment).Select(span => (span.Phase, (span.Begin - Begin).TotalSeconds, (span.End - Begin).TotalSeconds)));
    }

    [Fact]
    public void Ends_and_durations_are_counted_by_phase()
    {
        var counts = new DeploymentCounts();
        counts.Ended(Deployment("d1", 10, (ReleasePhase.Accepted, 0), (ReleasePhase.Pulling, 1)));
        counts.Ended(Deployment("d2", 3, (ReleasePhase.Pulling, 1)) with { End = DeploymentEnd.Failed });
        counts.Ended(Deployment("d3", 3) with { End = null, EndedAt = null });

        var text = PrometheusText.Write(counts.ToMetrics());

        Assert.Contains("wunderproxy_deployments_total{kind=\"Launch\",end=\"Succeeded\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployments_total{kind=\"Launch\",end=\"Failed\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployment_phase_duration_seconds_sum{phase=\"Pulling\"} 11\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployment_phase_duration_seconds_bucket{phase=\"Pulling\",le=\"2.5\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployment_duration_seconds_sum 13\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_deployment_is_found_once_and_none_that_ended_before()
    {
        var time = new FakeTimeProvider(Begin.AddSeconds(5));
        List<DeploymentStatus> latest = [Deployment("old", 3)];
        var found = new List<string>();
        var watch = new DeploymentWatch(() => latest, deployment => found.Add(deployment.Id), time);

        watch.Look();
        latest.Insert(0, Deployment("first", 6));
        latest.Insert(0, Deployment("second", 7));
        latest.Insert(0, Deployment("running", 9) with { End = null, EndedAt = null });
        watch.Look();
        latest.RemoveAt(3);
        watch.Look();

        Assert.Equal(["first", "second"], found);
    }

    [Fact]
    public void Deployment_that_succeeded_and_is_rolled_back_counts_as_both_and_its_durations_once()
    {
        var succeeded = Deployment("d1", 10, (ReleasePhase.Pulling, 1));
        List<DeploymentStatus> latest = [succeeded];
        var counts = new DeploymentCounts();
        var watch = new DeploymentWatch(() => latest, counts.Ended, new FakeTimeProvider(Begin));

        watch.Look();
        latest[0] = succeeded with { End = DeploymentEnd.RolledBack, EndedAt = Begin.AddSeconds(40) };
        watch.Look();
        watch.Look();

        var text = PrometheusText.Write(counts.ToMetrics());
        Assert.Contains("wunderproxy_deployments_total{kind=\"Launch\",end=\"Succeeded\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployments_total{kind=\"Launch\",end=\"RolledBack\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployment_duration_seconds_count 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_deployment_phase_duration_seconds_sum{phase=\"Pulling\"} 9\n", text, StringComparison.Ordinal);
    }

    public static DeploymentStatus Deployment(string id, double endedAt, params (ReleasePhase Phase, double At)[] phases) => FakeOperations.Running with
    {
        Id = id,
        AcceptedAt = Begin,
        End = DeploymentEnd.Succeeded,
        EndedAt = Begin.AddSeconds(endedAt),
        Phases = [.. phases.Select(phase => new PhaseEntry(phase.Phase, Begin.AddSeconds(phase.At)))],
    };
}
