using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What brings releases on their way to standby or to traffic, and what lets them go.</summary>
public sealed class CandidateRowsTests
{
    private static readonly TimeSpan Deadline = new HealthCheckSpec().Deadline;

    private readonly World _world = new();

    [Fact]
    public void Container_that_the_Proxy_still_sends_requests_to_is_neither_stopped_nor_removed()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Change("b", c => c with { Verdict = c.Verdict with { State = Readiness.Unready } });
        _world.Journal = _world.Decide().Journal!;
        var route = _world.Decide();
        Assert.IsType<Effect.Route>(route.Effect);
        _world.Journal = route.Journal!;

        Assert.True(_world.Decide(route.Effect).IsWait);
        _world.ExitOnly("b");
        Assert.True(_world.Decide(route.Effect).IsWait);
    }

    [Fact]
    public void Release_that_is_wanted_again_gets_another_container_while_the_stop_of_its_own_may_still_come()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(TimeSpan.FromSeconds(60));
        _world.Accept(new Order.Launch(World.Hash("a")));
        var stopped = _world.ContainerOf("a");
        var stop = new Effect.Stop(stopped.Ref, stopped.Id, TimeSpan.FromSeconds(10), _world.Journal.Fence);
        Assert.Equal("Start", _world.Decide().Row);

        Assert.Equal("Rename", _world.Decide(stop).Row);
        _world.Fail(stop, Outcome.Transient);
        Assert.Equal("Start", _world.Decide().Row);
        _world.Fail(stop, Outcome.Ambiguous);
        Assert.Equal("Rename", _world.Decide().Row);
    }

    [Fact]
    public void Stop_of_another_container_is_no_reason_for_another_container()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(TimeSpan.FromSeconds(60));
        _world.Accept(new Order.Launch(World.Hash("a")));
        var other = _world.ContainerOf("b");
        var stop = new Effect.Stop(other.Ref, other.Id, TimeSpan.FromSeconds(10), _world.Journal.Fence);

        Assert.Equal("Start", _world.Decide(stop).Row);
        _world.Fail(stop, Outcome.Ambiguous);
        Assert.Equal("Start", _world.Decide().Row);
    }

    [Fact]
    public void Candidate_to_which_traffic_moves_is_superseded_only_once_the_switch_has_ended()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Accept(new Order.Switch(World.Hash("b"), Force: false));
        while (_world.Journal.Switch is null)
        {
            _world.Next();
            _world.ProbeOnce();
        }

        var route = _world.Decide().Effect!;
        Assert.Equal(CandidateGoal.Active, Assert.Single(_world.Journal.Candidates).Goal);
        _world.Publish("c");
        _world.Accept(new Order.Switch(World.Hash("c"), Force: false));
        while (_world.Decide(route) is { Effect: null, Journal: { } journal })
            _world.Journal = journal;

        Assert.Contains(_world.Journal.Candidates, c => c.Ref.Hash == World.Hash("b"));
    }

    [Fact]
    public void Container_that_is_leaving_is_left_alone()
    {
        _world.Deploy("a");
        Discardable("b", c => c with { State = ContainerState.Leaving });

        Assert.True(_world.Decide().IsWait);
    }

    [Fact]
    public void Ready_container_without_purpose_stays_until_the_active_release_serves()
    {
        _world.Deploy("a");
        Discardable("b", c => c);
        Assert.Equal("Discard", _world.Decide().Row);

        _world.Change("a", c => c with { Verdict = Verdict.Unverified });
        Assert.True(_world.Decide().IsWait);

        _world.Change("a", c => c with { Verdict = _world.ContainerOf("b").Verdict });
        _world.Proxy = _world.Proxy! with { Target = _world.Proxy.Target! with { Address = "172.30.0.9:9292" } };
        Assert.True(_world.Decide(_world.Decide().Effect!).IsWait);
    }

    [Fact]
    public void Container_without_purpose_that_isnt_ready_goes_even_while_the_active_release_is_down()
    {
        _world.Deploy("a");
        Discardable("b", c => c with { Verdict = Verdict.Unverified });

        _world.Change("a", c => c with { Verdict = Verdict.Unverified });

        Assert.Equal("Discard", _world.Decide().Row);
    }

    [Fact]
    public void Container_that_finishes_its_requests_keeps_no_other_from_being_stopped()
    {
        _world.Deploy("a");
        _world.InFlight["b"] = 1;
        Discardable("b", c => c);
        _world.CountRequests();
        Discardable("c", c => c);

        Assert.Equal(_world.ContainerOf("c").Ref, Assert.IsType<Effect.Stop>(_world.Decide().Effect).Container);
    }

    [Fact]
    public void Container_without_purpose_finishes_its_requests_and_the_Proxy_is_asked_again_soon()
    {
        _world.Deploy("a");
        _world.InFlight["b"] = 1;
        Discardable("b", c => c);
        _world.CountRequests();

        var step = _world.Decide();

        Assert.EndsWith("has no purpose any more and finishes its requests", step.Reason, StringComparison.Ordinal);
        Assert.Equal(_world.Now + World.Settings.DrainPoll, step.LookAgainAt);
    }

    [Fact]
    public void Container_that_has_ended_is_removed_whatever_the_Proxy_counts_on_it()
    {
        _world.Deploy("a");
        _world.InFlight["b"] = 1;
        Discardable("b", c => c);
        _world.CountRequests();

        _world.ExitOnly("b");

        Assert.IsType<Effect.Remove>(_world.Decide().Effect);
    }

    [Fact]
    public void Status_says_that_a_container_without_purpose_waits_for_the_Proxy()
    {
        _world.Deploy("a");
        Discardable("b", c => c with { Verdict = Verdict.Unverified });
        _world.ProxyIsAway = true;

        Assert.EndsWith("has no purpose any more; it goes once the Proxy has answered", _world.Decide().Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Release_on_its_way_loses_its_purpose_as_soon_as_another_is_wanted()
    {
        _world.Deploy("a");
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Unhealthy.Add(World.Hash("c"));
        _world.Deploy("b");

        _world.Deploy("c");

        Assert.Equal([World.Hash("c")], _world.Journal.Candidates.Select(c => c.Ref.Hash));
    }

    [Fact]
    public void Reload_is_dropped_where_the_release_as_it_is_became_enough()
    {
        _world.Deploy("a");
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Journal = new Order.Switch(World.Hash("a"), Force: true).ApplyTo(_world.Journal, _world.Now.AddTicks(1), World.Settings).Journal;
        while (_world.Journal.Candidates.Count == 0)
            _world.Next();

        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Deploy("a");

        Assert.Empty(_world.Journal.Candidates);
    }

    [Fact]
    public void Standby_goes_when_its_time_is_up()
    {
        _world.Publish("a");
        _world.Launch("a");
        Assert.Equal(_world.Now + World.Settings.StandbyLimit, _world.Decide().LookAgainAt);

        _world.Advance(World.Settings.StandbyLimit - TimeSpan.FromTicks(1));
        Assert.Equal(ReleasePhase.Standby, _world.PhaseOf("a"));

        _world.Advance(TimeSpan.FromTicks(1));
        Assert.Empty(_world.Journal.Candidates);
    }

    [Fact]
    public void Release_that_is_to_have_traffic_waits_for_it_as_long_as_it_takes()
    {
        _world.ProxyIsAway = true;
        _world.Deploy("a");

        _world.Advance(World.Settings.StandbyLimit * 2);

        Assert.Single(_world.Journal.Candidates);
    }

    [Fact]
    public void Reload_of_a_reloaded_release_takes_a_new_container_again()
    {
        _world.Deploy("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Switch("a", force: true);
        _world.Wait(TimeSpan.FromSeconds(1));

        _world.Switch("a", force: true);

        Assert.Equal(3, _world.Journal.Active!.Ref.Incarnation);
    }

    [Fact]
    public void Forced_switch_to_a_standby_takes_the_container_that_stands_by()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        var standby = _world.ContainerOf("b").Ref;

        _world.Switch("b", force: true);

        Assert.Equal(standby, _world.Journal.Active!.Ref);
    }

    [Fact]
    public void Nothing_is_chosen_while_a_switch_is_under_way()
    {
        _world.Deploy("a");
        var route = _world.BeginSwitchTo("b");
        _world.Publish("c");
        _world.Accept(new Order.Switch(World.Hash("c"), Force: false));
        while (_world.Decide(route) is { Journal: { } journal })
            _world.Journal = journal;

        Assert.DoesNotContain(_world.Journal.Candidates, c => c.Ref.Hash == World.Hash("c"));
    }

    [Fact]
    public void Release_is_not_rejected_for_the_route_that_another_one_was_refused()
    {
        _world.Deploy("a");
        var active = _world.ContainerOf("a");
        _world.ProxyIsAway = true;
        _world.Deploy("b");

        _world.Fail(new Effect.Route(active.Ref, Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal, null, 0)), Outcome.TerminalSpec);
        _world.Settle();

        Assert.Null(_world.Journal.RejectionOf(World.Hash("b")));
    }

    [Fact]
    public void Standby_that_exited_is_tried_again_and_each_exit_counts_once()
    {
        _world.Publish("a");
        _world.Launch("a");

        _world.Exit("a");
        _world.Settle();
        Assert.Equal(1, _world.Journal.AttemptsOf(World.Hash("a"))!.Count);
        _world.Advance(TimeSpan.FromSeconds(5));
        _world.Exit("a");

        Assert.Equal(2, _world.Journal.AttemptsOf(World.Hash("a"))!.Count);
        Assert.Single(_world.Journal.Candidates);
    }

    [Fact]
    public void Release_that_exited_is_started_again_exactly_when_its_back_off_is_over()
    {
        _world.Publish("a");
        _world.Launch("a");
        _world.Exit("a");

        var step = _world.Decide();
        Assert.True(step.IsWait);
        Assert.EndsWith("exited 1 times; it is started again", step.Reason, StringComparison.Ordinal);
        Assert.Equal(_world.Now.AddMilliseconds(250), step.LookAgainAt);

        _world.Wait(TimeSpan.FromMilliseconds(250));
        Assert.Equal("Start", _world.Decide().Row);
    }

    [Fact]
    public void Attempts_are_counted_for_each_release()
    {
        _world.Publish("a");
        _world.Publish("b");
        _world.Launch("a");
        _world.Launch("b");

        _world.Exit("a");
        _world.Exit("b");

        Assert.Equal([World.Hash("a"), World.Hash("b")], _world.Journal.Attempts.Select(a => a.Hash));
    }

    [Fact]
    public void Standby_that_a_reboot_ended_is_started_again_and_nothing_is_counted()
    {
        _world.Publish("a");
        _world.Launch("a");
        _world.StopEverything();

        _world.Settle();

        Assert.Empty(_world.Journal.Attempts);
        Assert.Equal(ReleasePhase.Standby, _world.PhaseOf("a"));
    }

    [Theory]
    [InlineData(0, "CountExit")]
    [InlineData(-1, "Start")]
    public void Exit_of_a_run_from_before_the_release_was_chosen_doesnt_count(long ticks, string row)
    {
        _world.Publish("a");
        _world.Launch("a");

        _world.Change("a", c => c with { StartedAt = _world.Journal.Candidates[0].Since.AddTicks(ticks), State = ContainerState.Exited, ExitedByItself = true, FinishedAt = _world.Now });

        Assert.Equal(row, _world.Decide().Row);
    }

    [Fact]
    public void Evidence_of_a_container_that_exited_has_its_last_log_lines()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");

        _world.ExitOnly("a");

        Assert.Equal((World.Hash("a"), _world.ContainerOf("a").Id), _world.Decide().EvidenceOf);
    }

    [Fact]
    public void Release_that_is_to_have_traffic_goes_before_those_that_stand_by()
    {
        _world.Publish("a");
        _world.Publish("b");
        _world.Accept(new Order.Launch(World.Hash("a")));

        _world.Switch("b");

        Assert.Equal("pull b", _world.Calls[0]);
    }

    [Fact]
    public void Release_to_which_traffic_moves_is_judged_only_once_the_switch_is_through_or_was_given_up()
    {
        _world.Deploy("a");
        _world.BeginSwitchTo("b");
        _world.ProxyIsAway = true;

        _world.ExitOnly("b");

        Assert.True(_world.Decide().IsWait);
    }

    [Fact]
    public void Traffic_moves_only_once_the_start_has_ended()
    {
        var container = ReadyCandidate();

        Assert.True(_world.Decide(new Effect.Start(container.Ref, container.Id)).IsWait);
        Assert.Equal("Switch", _world.Decide().Row);
    }

    [Fact]
    public void Switch_is_decided_only_once_the_Proxy_is_known()
    {
        ReadyCandidate();
        _world.ProxyIsAway = true;

        Assert.True(_world.Decide().IsWait);
        Assert.Equal("The Proxy isn't reached", _world.Decide().Reason);
    }

    [Fact]
    public void Switch_that_the_Proxy_refused_is_tried_again_after_a_pause()
    {
        var container = ReadyCandidate();
        _world.Fail(RouteTo(container), Outcome.Refused);

        var step = _world.Decide();
        Assert.True(step.IsWait);
        Assert.Equal(_world.Now + TimeSpan.FromSeconds(1), step.LookAgainAt);

        _world.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal("Switch", _world.Decide().Row);
    }

    [Fact]
    public void Fence_that_could_not_be_raised_delays_no_switch()
    {
        var container = ReadyCandidate();

        _world.Fail(new Effect.RaiseFence(container.Ref, container.Id, 1), Outcome.Transient);

        Assert.Equal("Switch", _world.Decide().Row);
    }

    [Fact]
    public void Release_that_was_ready_and_isnt_any_more_is_rejected_at_its_deadline_while_it_waits_for_traffic()
    {
        ReadyCandidate();
        _world.ProxyIsAway = true;

        _world.BecomeUnready("a");
        _world.Advance(Deadline + TimeSpan.FromSeconds(1));

        Assert.NotNull(_world.Journal.RejectionOf(World.Hash("a")));
    }

    [Fact]
    public void Standby_that_turned_unready_is_given_time_to_recover()
    {
        _world.Publish("a");
        _world.Launch("a");

        _world.BecomeUnready("a");
        _world.Advance(Deadline * 2);

        Assert.Single(_world.Journal.Candidates);
    }

    [Fact]
    public void Standby_that_never_was_ready_is_rejected_at_its_deadline()
    {
        _world.Publish("a");
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Launch("a");

        _world.Advance(Deadline + TimeSpan.FromSeconds(1));

        Assert.NotNull(_world.Journal.RejectionOf(World.Hash("a")));
    }

    [Fact]
    public void Release_is_rejected_exactly_at_its_deadline_and_until_then_it_is_said_what_is_waited_for()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        var deadline = _world.ContainerOf("a").StartedAt!.Value + Deadline;

        var step = _world.Decide();
        Assert.EndsWith("isn't healthy yet (503 Service Unavailable)", step.Reason, StringComparison.Ordinal);
        Assert.Equal(deadline, step.LookAgainAt);

        _world.Wait(deadline - _world.Now - TimeSpan.FromTicks(1));
        Assert.True(_world.Decide().IsWait);
        _world.Wait(TimeSpan.FromTicks(1));
        Assert.Equal("Unhealthy", _world.Decide().Row);
    }

    [Theory]
    [InlineData(60, 60, 60)]
    [InlineData(65, 60, 65)]
    [InlineData(66, 60, 0)]
    [InlineData(-60, 0, 0)]
    [InlineData(90, 60, 0)]
    public void Deadline_counts_from_the_start_unless_it_was_before_the_decision_or_is_dated_long_after_now(int start, int now, int counted)
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");
        var since = _world.Journal.Candidates[0].Since;

        _world.Change("a", c => c with { StartedAt = since.AddSeconds(start) });
        _world.Wait(TimeSpan.FromSeconds(now));

        Assert.Equal(since.AddSeconds(counted) + Deadline, _world.Decide().LookAgainAt);
    }

    [Theory]
    [InlineData(nameof(ContainerState.Paused))]
    [InlineData(nameof(ContainerState.Exited))]
    public void Release_whose_container_doesnt_run_is_not_called_unhealthy(string state)
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");
        var container = _world.ContainerOf("a");

        _world.Change("a", c => c with { State = Enum.Parse<ContainerState>(state), Verdict = c.Verdict with { LastFailure = ProbeFailure.Unexpected } });
        _world.Wait(Deadline * 2);

        Assert.True(_world.Decide(new Effect.Start(container.Ref, container.Id)).IsWait);
    }

    [Fact]
    public void Ready_release_one_of_whose_probes_failed_is_not_rejected()
    {
        ReadyCandidate();
        _world.ProxyIsAway = true;

        _world.Change("a", c => c with { Verdict = c.Verdict with { LastFailure = ProbeFailure.NoAnswer } });
        _world.Wait(Deadline * 2);

        Assert.True(_world.Decide().IsWait);
    }

    [Fact]
    public void Release_whose_container_has_no_address_is_rejected_at_its_deadline()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");

        _world.Change("a", c => c with { Address = null, Verdict = Verdict.Unverified });
        Assert.EndsWith("isn't healthy yet (no probe has ended)", _world.Decide().Reason, StringComparison.Ordinal);
        _world.Wait(Deadline * 2);

        Assert.Equal("Unhealthy", _world.Decide().Row);
    }

    [Fact]
    public void Release_that_has_an_address_is_probed_before_it_is_judged()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");

        _world.Change("a", c => c with { Verdict = Verdict.Unverified });
        _world.Wait(Deadline * 2);

        Assert.True(_world.Decide().IsWait);
        Assert.EndsWith("is being probed", _world.Decide().Reason, StringComparison.Ordinal);
    }

    private ContainerFact ReadyCandidate()
    {
        _world.ProxyIsAway = true;
        _world.Deploy("a");
        _world.ProxyIsAway = false;
        return _world.ContainerOf("a");
    }

    private Effect.Route RouteTo(ContainerFact container) =>
        new(container.Ref, Snapshots.Of(_world.Situation(), _world.Journal, container, 1)!);

    private void Discardable(string name, Func<ContainerFact, ContainerFact> change)
    {
        _world.Publish(name);
        _world.Launch(name);
        _world.Change(name, change);
        _world.Journal = _world.Journal.Without(_world.ContainerOf(name).Ref);
    }
}
