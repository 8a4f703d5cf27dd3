using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Following;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Following;

public sealed class HostDrainFollowerTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);
    private static readonly StatusDocument InService = SampleStatus.Eventful with { At = Now };

    private readonly HostDrainFollower _follower = new("web1", Quiet);

    [Fact]
    public void Host_is_idle_once_nothing_runs_and_nobody_has_come_for_a_while()
    {
        var drain = new HostDrain { Since = Now, HealthChecks = 3, LastRequest = Now.AddSeconds(5) };

        Assert.Null(_follower.Take(Drained(drain, Now.AddSeconds(14), running: 0)).End);

        var last = _follower.Take(Drained(drain, Now.AddSeconds(15), running: 0));
        Assert.Equal(HostDrainEnd.Idle, last.End);
        Assert.Contains("until wunderproxy undrain-host", last.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Host_is_not_idle_while_something_runs_or_it_was_not_told_to_be_out_of_service_for_long()
    {
        var drain = new HostDrain { Since = Now };

        Assert.Null(_follower.Take(Drained(drain, Now.AddSeconds(9), running: 0)).End);
        var news = _follower.Take(Drained(drain, Now.AddMinutes(1), running: 2));

        Assert.Equal((null, 2), (news.End, news.Requests));
    }

    [Fact]
    public void Status_from_before_the_order_ends_nothing()
    {
        Assert.Null(_follower.Take(InService).End);
    }

    [Fact]
    public void That_somebody_brings_the_host_back_ends_it()
    {
        _follower.Take(Drained(new HostDrain { Since = Now }, Now, running: 1));

        Assert.Equal(HostDrainEnd.Undrained, _follower.Take(InService).End);
    }

    [Fact]
    public void Load_balancer_that_never_asked_is_told_when_the_time_is_over()
    {
        _follower.Take(Drained(new HostDrain { Since = Now }, Now, running: 1));

        var last = _follower.GiveUp(TimeSpan.FromMinutes(5));

        Assert.Equal(HostDrainEnd.TimedOut, last.End);
        Assert.Contains("Nobody has asked for the health check's path", last.Message, StringComparison.Ordinal);
        Assert.Contains("1 requests and 0 streams run", last.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Controller_that_is_away_for_a_while_ends_nothing_before_the_time_is_over()
    {
        _follower.Take(Drained(new HostDrain { Since = Now }, Now, running: 1));

        Assert.Null(_follower.Miss("It isn't reached.").End);

        Assert.Equal(HostDrainEnd.Unreachable, _follower.GiveUp(TimeSpan.FromMinutes(5)).End);
    }

    private static StatusDocument Drained(HostDrain drain, DateTimeOffset at, long running)
    {
        var traffic = new Traffic { Requests = 9, TotalSeconds = 1, BytesIn = 0, BytesOut = 0 };
        var target = new Target { Release = "r", ContainerId = "c1", StartedAt = Now, Address = "172.30.0.2:9292", Probe = new HealthProbe() };
        var shop = new ApplicationState
        {
            Application = "shop",
            Installation = "i1",
            Generation = 1,
            Fence = 1,
            Target = target,
            Targets = [new TargetTraffic { Target = target, InFlight = running, Streams = 0, Traffic = traffic }],
            Total = traffic,
        };
        return InService with { At = at, Proxy = InService.Proxy! with { HostDrain = drain, Applications = [shop] } };
    }
}
