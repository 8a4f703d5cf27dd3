using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What lets replaced releases finish, and tidies up after them.</summary>
public sealed class RetirementRowsTests
{
    private static readonly TimeSpan Probation = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongDrain = TimeSpan.FromMinutes(5);

    private readonly World _world = new();

    [Fact]
    public void Retained_release_whose_container_somebody_removed_is_forgotten()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(Probation);
        _world.RemoveContainersOf("a");

        _world.Settle();

        Assert.Null(_world.Journal.Retained);
    }

    [Fact]
    public void Replaced_release_whose_container_somebody_removed_leaves_the_retained_one_where_it_is()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(Probation);
        _world.Deploy("c");
        _world.RemoveContainersOf("b");

        _world.Settle();

        Assert.Equal(World.Hash("a"), _world.Journal.Retained!.Hash);
        Assert.Empty(_world.Journal.Drains);
    }

    [Fact]
    public void Container_is_not_stopped_while_a_Proxy_that_lost_its_disk_is_being_told_to_send_requests_there()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        var route = _world.Steps.Select(s => s.Effect).OfType<Effect.Route>().Last();
        _world.Proxy = null;
        _world.Change("b", c => c with { Verdict = c.Verdict with { State = Readiness.Unready } });
        Assert.Equal("FailBack", _world.Next().Row);

        var wait = _world.Decide(route);
        Assert.True(wait.IsWait);
        Assert.Equal("The Proxy is to serve by the active release", wait.Reason);
        var other = route with { Snapshot = route.Snapshot with { Target = route.Snapshot.Target! with { ContainerId = "another" } } };
        Assert.True(Assert.IsType<Effect.Stop>(_world.Decide(other).Effect).MustBeIdle);
        var situation = _world.Situation(route);
        Assert.Null(Stops.Step(situation, "Discard", _world.ContainerOf("b"), "b goes", mustBeIdle: true));
        Assert.Equal("b goes; it is stopped once the Proxy has answered that it is to send requests there", situation.Wait.Reason);
    }

    [Fact]
    public void Proxy_may_refuse_the_stop_of_a_replaced_release_that_is_in_use_until_its_drain_deadline()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = LongDrain } });
        _world.Deploy("b");
        _world.Wait(Probation);
        Assert.True(Assert.IsType<Effect.Stop>(_world.Decide().Effect).MustBeIdle);

        _world.Wait(LongDrain - Probation);

        Assert.False(Assert.IsType<Effect.Stop>(_world.Decide().Effect).MustBeIdle);
    }

    [Fact]
    public void Release_that_finishes_after_a_later_one_is_not_the_one_that_is_retained()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = LongDrain } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
        _world.Deploy("c");
        _world.Advance(Probation);
        Assert.Equal(World.Hash("b"), _world.Journal.Retained!.Hash);

        _world.FinishRequests("a");

        Assert.Equal(World.Hash("b"), _world.Journal.Retained.Hash);
        Assert.Equal(["b", "c"], _world.Containers.Select(c => World.NameOf(c.Ref.Hash)));
    }

    [Fact]
    public void Image_that_is_being_brought_here_is_not_removed()
    {
        _world.Deploy("a");
        var image = new OwnedImage(World.Hash("x"), "image-x");
        _world.Journal = _world.Journal with { Images = _world.Journal.Images.Add(image) };
        Assert.Equal("Prune", _world.Decide().Row);

        Assert.True(_world.Decide(new Effect.Pull(image.Hash, "image-of-another-name")).IsWait);
    }

    [Fact]
    public void Nothing_is_stopped_while_the_Proxy_is_away_and_it_is_said_what_is_waited_for()
    {
        _world.Deploy("a");
        _world.ProxyIsAway = true;
        var situation = _world.Situation();

        Assert.Null(Stops.Step(situation, "Drain", _world.ContainerOf("a"), "a is replaced", mustBeIdle: true));
        Assert.Equal("a is replaced; it is stopped once the Proxy has acknowledged it", situation.Wait.Reason);
    }

    [Fact]
    public void Replaced_release_is_not_stopped_before_the_active_one_serves()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Wait(Probation);
        Assert.Equal("Drain", _world.Decide().Row);
        var ready = _world.ContainerOf("b").Verdict;

        _world.Change("b", c => c with { Verdict = Verdict.Unverified });
        Assert.True(_world.Decide().IsWait);

        _world.Change("b", c => c with { Verdict = ready, Address = "172.30.0.9:9292" });
        Assert.True(_world.Decide(_world.Decide().Effect!).IsWait);
    }

    [Fact]
    public void Replaced_release_is_not_stopped_while_a_switch_is_under_way()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        var route = _world.BeginSwitchTo("c");

        _world.Wait(Probation);

        Assert.True(_world.Decide(route).IsWait);
    }

    [Fact]
    public void It_is_said_until_when_a_replaced_release_stays()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = LongDrain } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
        var replaced = _world.Now;

        Assert.EndsWith("is kept warm for the probation", _world.Decide().Reason, StringComparison.Ordinal);
        Assert.Equal(replaced + Probation, _world.Decide().LookAgainAt);

        _world.Wait(Probation);
        Assert.EndsWith("finishes its requests", _world.Decide().Reason, StringComparison.Ordinal);
        Assert.Equal(_world.Now + World.Settings.DrainPoll, _world.Decide().LookAgainAt);

        _world.Wait(LongDrain - Probation - TimeSpan.FromTicks(1));
        Assert.Equal(replaced + LongDrain, _world.Decide().LookAgainAt);
    }

    [Theory]
    [InlineData("b", 60)]
    [InlineData("a", -60)]
    [InlineData("a", 600)]
    public void Drain_deadline_is_moved_neither_by_another_release_nor_by_a_time_before_the_switch_or_after_now(string name, int seconds)
    {
        DrainA();
        var since = _world.Journal.Drains[0].Since.AddSeconds(seconds);

        _world.Proxy = _world.Proxy! with { Targets = [.. _world.Proxy.Targets.Select(t => t with { DrainingSince = t.Target.Release == World.Hash(name) ? since : null })] };
        _world.Wait(LongDrain - TimeSpan.FromTicks(1));
        Assert.True(_world.Decide().IsWait);
        _world.Wait(TimeSpan.FromTicks(1));

        Assert.Equal("Drain", _world.Decide().Row);
    }

    [Fact]
    public void Drain_deadline_counts_from_the_last_time_that_traffic_left_the_release()
    {
        DrainA();
        var since = _world.Journal.Drains[0].Since;
        var target = _world.Proxy!.Targets.Single(t => t.Target.Release == World.Hash("a"));

        _world.Proxy = _world.Proxy with { Targets = [target with { DrainingSince = since.AddSeconds(1) }, target with { DrainingSince = since.AddSeconds(60) }] };
        _world.Wait(LongDrain + TimeSpan.FromSeconds(1));
        Assert.True(_world.Decide().IsWait);
        _world.Wait(TimeSpan.FromSeconds(59));

        Assert.Equal("Drain", _world.Decide().Row);
    }

    [Theory]
    [InlineData("a", 60, 60)]
    [InlineData("b", 60, 0)]
    [InlineData("a", -60, 0)]
    [InlineData("a", 25 * 3600, 0)]
    public void Drain_lasts_as_long_as_somebody_has_told_the_Proxy_and_ends_no_earlier_for_that(string name, int given, int longer)
    {
        DrainA();
        _world.Wait(LongDrain - TimeSpan.FromTicks(1));
        var deadline = _world.Now + TimeSpan.FromTicks(1) + TimeSpan.FromSeconds(given);
        _world.Proxy = _world.Proxy! with { Targets = [.. _world.Proxy.Targets.Select(t => t with { Deadline = t.Target.Release == World.Hash(name) ? deadline : null })] };

        _world.Wait(TimeSpan.FromSeconds(longer));
        Assert.True(_world.Decide().IsWait);
        _world.Wait(TimeSpan.FromTicks(1));

        Assert.Equal("Drain", _world.Decide().Row);
    }

    [Fact]
    public void Drain_may_be_given_a_day_from_now()
    {
        DrainA();
        _world.Wait(LongDrain);
        _world.Proxy = _world.Proxy! with { Targets = [.. _world.Proxy.Targets.Select(t => t with { Deadline = _world.Now.AddHours(24) })] };

        Assert.True(_world.Decide().IsWait);
    }

    [Fact]
    public void Request_that_begins_to_drain_at_this_moment_has_its_whole_time()
    {
        DrainA();
        _world.Wait(LongDrain);

        _world.Proxy = _world.Proxy! with { Targets = [.. _world.Proxy.Targets.Select(t => t with { DrainingSince = _world.Now })] };

        Assert.True(_world.Decide().IsWait);
    }

    [Fact]
    public void Image_that_two_releases_share_stays_as_long_as_one_of_them_is_kept()
    {
        _world.Deploy("a");
        _world.Journal = _world.Journal with { Images = [new(World.Hash("b"), "image-a"), .. _world.Journal.Images] };

        var step = _world.Decide();

        Assert.Equal(("Prune", null), (step.Row, step.Effect));
        Assert.Equal([World.Hash("a")], step.Journal!.Images.Select(i => i.Hash));
    }

    private void DrainA()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = LongDrain } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
    }
}
