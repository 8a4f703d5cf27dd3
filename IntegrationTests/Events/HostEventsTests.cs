using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Events;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Events;

public sealed class HostEventsTests
{
    private static readonly StatusDocument Before = SampleStatus.Eventful;

    [Fact]
    public void Nothing_has_happened_between_equal_statuses() => Assert.Empty(HostEvents.Between(Before, Before with { At = Before.At.AddSeconds(1) }));

    [Fact]
    public void New_deployment_is_told_with_all_that_it_did_meanwhile_in_its_own_times()
    {
        var deployment = Before.Deployments[1] with { Id = "d5", Hash = SampleStatus.Next };

        var events = HostEvents.Between(Before, Before with { Deployments = [deployment, .. Before.Deployments] });

        Assert.Equal(HostEventKind.DeploymentAccepted, events[0].Event);
        Assert.Equal(deployment.Phases, events.Where(e => e.Event == HostEventKind.PhaseChanged).Select(e => new PhaseEntry(e.Phase!.Value, e.At)));
        Assert.Equal((HostEventKind.DeploymentEnded, DeploymentEnd.Succeeded, deployment.EndedAt!.Value), (events[^1].Event, events[^1].End, events[^1].At));
        Assert.All(events, e => Assert.Equal("d5", e.Deployment));
    }

    [Fact]
    public void Failed_deployment_is_told_with_the_reason()
    {
        var running = Before.Deployments[2] with { End = null, EndedAt = null, Failure = null };

        var ended = Assert.Single(HostEvents.Between(Before with { Deployments = [running] }, Before with { Deployments = [Before.Deployments[2]] }));

        Assert.Equal((DeploymentEnd.Failed, Before.Deployments[2].Failure!.Message), (ended.End, ended.Message));
    }

    [Fact]
    public void Deployment_that_had_succeeded_is_told_once_more_when_it_is_rolled_back()
    {
        var succeeded = Before.Deployments[1];
        var after = Before with { Deployments = [succeeded with { End = DeploymentEnd.RolledBack, Message = "It was worse." }] };

        var ended = Assert.Single(HostEvents.Between(Before with { Deployments = [succeeded] }, after));

        Assert.Equal((HostEventKind.DeploymentEnded, DeploymentEnd.RolledBack, "It was worse."), (ended.Event, ended.End, ended.Message));
    }

    [Fact]
    public void Deployment_that_is_not_kept_any_more_is_no_event() => Assert.Empty(HostEvents.Between(Before, Before with { Deployments = [] }));

    [Fact]
    public void Switch_is_told_with_where_traffic_came_from()
    {
        var after = Before with { Active = SampleStatus.Next };

        var switched = Assert.Single(HostEvents.Between(Before, after));

        Assert.Equal((HostEventKind.TrafficSwitched, SampleStatus.Next, "43", SampleStatus.Serving), (switched.Event, switched.Hash, switched.Revision, switched.From));
    }

    [Fact]
    public void Drain_ends_with_the_last_of_what_ran_on_the_release() => Assert.Equal(
        [(HostEventKind.DrainEnded, SampleStatus.Old)],
        HostEvents.Between(Before, WithTraffic(t => t with { InFlight = 0, Streams = 0 })).Select(e => (e.Event, e.Hash)));

    [Fact]
    public void Drain_goes_on_while_a_stream_is_left() => Assert.Empty(HostEvents.Between(Before, WithTraffic(t => t with { InFlight = 0, Streams = 1 })));

    [Fact]
    public void Drain_ends_with_the_release_itself_at_the_latest() => Assert.Equal(
        [(HostEventKind.DrainEnded, SampleStatus.Old)],
        HostEvents.Between(Before, Before with { Releases = [.. Before.Releases.Where(r => r.Hash != SampleStatus.Old)] }).Select(e => (e.Event, e.Hash)));

    [Fact]
    public void Drain_that_has_ended_is_told_once()
    {
        var drained = WithTraffic(t => t with { InFlight = 0, Streams = 0 });

        Assert.Empty(HostEvents.Between(drained, drained with { Requests = 1 }));
        Assert.Empty(HostEvents.Between(drained, drained with { Releases = [.. drained.Releases.Where(r => r.Hash != SampleStatus.Old)] }));
    }

    private static StatusDocument WithTraffic(Func<TargetTraffic, TargetTraffic> change) => Before with
    {
        Releases = [.. Before.Releases.Select(r => r.Hash == SampleStatus.Old ? r with { Traffic = change(r.Traffic!) } : r)],
    };
}
