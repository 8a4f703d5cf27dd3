using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What carries a switch through, or gives it up, and how containers are stopped after it.</summary>
public sealed class SwitchRowsTests
{
    private readonly World _world = new();

    [Theory]
    [InlineData(5, 10)]
    [InlineData(10, 5)]
    public void Replaced_release_stays_warm_for_the_probation_of_the_new_one_and_drains_for_the_longer_of_its_own_limits(int requests, int streams)
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(requests), StreamTimeout = TimeSpan.FromMinutes(streams) } });
        _world.Deploy("b", c => c with { Probation = new ProbationSpec { Duration = TimeSpan.FromSeconds(90) } });

        var draining = Assert.Single(_world.Journal.Drains);

        Assert.Equal(TimeSpan.FromSeconds(90), draining.WarmUntil - draining.Since);
        Assert.Equal(TimeSpan.FromMinutes(10), draining.Deadline - draining.Since);
    }

    [Fact]
    public void Switch_waits_for_the_Proxy()
    {
        _world.Deploy("a");
        var route = _world.BeginSwitchTo("b");

        Assert.Equal(("Settled", "The Proxy is to move traffic"), InWords(_world.Decide(route)));
        _world.ProxyIsAway = true;
        Assert.Equal(("Settled", "The Proxy is to move traffic"), InWords(_world.Decide()));
    }

    [Theory]
    [InlineData(Outcome.Refused, "Abort")]
    [InlineData(Outcome.TerminalSpec, "Abort")]
    [InlineData(Outcome.Transient, "Route")]
    [InlineData(Outcome.Ambiguous, "Route")]
    internal void Switch_that_the_Proxy_refuses_is_given_up_and_one_that_it_did_not_hear_of_is_tried_again(Outcome outcome, string row)
    {
        _world.Deploy("a");
        var route = _world.BeginSwitchTo("b");

        _world.Fail(route, outcome);
        _world.Wait(TimeSpan.FromSeconds(1));

        Assert.Equal(row, _world.Decide().Row);
    }

    [Fact]
    public void Refusal_of_a_fence_or_from_before_the_switch_gives_up_no_switch()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Fail(new Effect.Route(null, Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal, null, 0)), Outcome.Refused);
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.BeginSwitchTo("b");

        _world.Fail(new Effect.RaiseFence(_world.ContainerOf("b").Ref, "id", 1), Outcome.Refused);

        Assert.Equal("Route", _world.Decide().Row);
    }

    [Fact]
    public void Switch_that_is_being_given_up_is_not_taken_up_again()
    {
        GiveUpSwitchToB();
        _world.Change("b", c => c with { Verdict = _world.ContainerOf("a").Verdict });

        Assert.Equal("Abort", _world.Decide().Row);
        Assert.IsType<Effect.RaiseFence>(_world.Decide().Effect);
    }

    [Fact]
    public void Switch_is_given_up_once_the_Proxy_has_acknowledged_the_newer_fence()
    {
        var fence = GiveUpSwitchToB().Fence;

        _world.Proxy = _world.Proxy! with { Fence = fence - 1 };
        Assert.NotNull(_world.Decide().Journal!.Switch);
        _world.Proxy = _world.Proxy! with { Fence = fence };

        Assert.Null(_world.Decide().Journal!.Switch);
        Assert.Null(_world.Decide().Effect);
    }

    [Fact]
    public void Fence_is_raised_against_the_container_to_which_traffic_was_to_move()
    {
        var raise = GiveUpSwitchToB();

        Assert.Equal((_world.ContainerOf("b").Ref, _world.ContainerOf("b").Id), (raise.Container, raise.Id));
        Assert.Equal(_world.Journal.Fence, raise.Fence);
        Assert.True(raise.Fence > _world.Journal.Switch!.Fence);
    }

    [Fact]
    public void Giving_up_waits_for_the_Proxy()
    {
        var raise = GiveUpSwitchToB();

        Assert.Equal(("Settled", "The Proxy is to acknowledge that the switch is given up"), InWords(_world.Decide(raise)));
        _world.ProxyIsAway = true;
        Assert.Equal(("Settled", "The Proxy is to acknowledge that the switch is given up"), InWords(_world.Decide()));
    }

    [Theory]
    [InlineData(true, 25)]
    [InlineData(false, 10)]
    public void Container_has_the_time_to_stop_that_its_configuration_gives_it(bool isKnown, int seconds)
    {
        _world.Deploy("a", c => c with { Stop = new StopSpec { Timeout = TimeSpan.FromSeconds(25) } });
        _world.Deploy("b");
        _world.Wait(TimeSpan.FromSeconds(60));
        if (!isKnown)
            _world.Configurations.Remove(World.Hash("a"));

        Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.IsType<Effect.Stop>(_world.Decide().Effect).Grace);
    }

    [Fact]
    public void Runs_whose_stop_was_begun_are_noted_once_and_until_they_have_ended()
    {
        _world.InFlight["a"] = 1;
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Deploy("c");
        _world.InFlight.Clear();
        _world.CountRequests();
        _world.Wait(TimeSpan.FromSeconds(60));
        var first = _world.Decide();
        _world.Journal = first.Journal!;
        Assert.Single(_world.Journal.Stopping);
        Assert.Single(_world.Decide().Journal!.Stopping);

        var second = _world.Decide(first.Effect!);
        Assert.Equal(2, second.Journal!.Stopping.Count);
        _world.Journal = second.Journal;
        _world.ExitOnly("a");

        Assert.Equal([_world.ContainerOf("b").Id], Stops.Step(_world.Situation(), "Drain", _world.ContainerOf("b"), "", mustBeIdle: true)!.Journal!.Stopping.Select(run => run.ContainerId));
    }

    private Effect.RaiseFence GiveUpSwitchToB()
    {
        _world.Deploy("a");
        _world.BeginSwitchTo("b");
        _world.Change("b", c => c with { Verdict = Verdict.Unverified });
        var abort = _world.Decide();
        _world.Journal = abort.Journal!;
        return Assert.IsType<Effect.RaiseFence>(abort.Effect);
    }

    private static (string Row, string Reason) InWords(Step step) => (step.Row, step.Reason);
}
