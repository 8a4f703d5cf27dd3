using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What keeps the active release serving.</summary>
public sealed class ActiveRowsTests
{
    private static readonly TimeSpan Probation = TimeSpan.FromSeconds(60);

    private readonly World _world = new();

    [Fact]
    public void Ready_container_without_purpose_takes_over_when_the_active_release_fails_and_no_other_is_warm()
    {
        var spare = DeployAWithSpare("b");

        _world.ExitOnly("a");

        Assert.Equal("LastResort", _world.Decide().Row);
        Assert.Equal(spare, _world.Decide().Journal!.Switch!.To);
    }

    [Fact]
    public void Container_that_is_stopped_just_now_doesnt_take_over()
    {
        var spare = DeployAWithSpare("b");

        _world.ExitOnly("a");

        Assert.Equal("CountCrash", _world.Decide(new Effect.Stop(spare, _world.ContainerOf("b").Id, TimeSpan.Zero, 9)).Row);
    }

    [Fact]
    public void Container_that_isnt_ready_doesnt_take_over()
    {
        DeployAWithSpare("b");
        _world.Change("b", c => c with { Verdict = Verdict.Unverified });

        _world.ExitOnly("a");

        Assert.Equal("CountCrash", _world.Decide().Row);
    }

    [Fact]
    public void Standby_doesnt_take_over_by_itself()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");

        _world.ExitOnly("a");

        Assert.Equal("CountCrash", _world.Decide().Row);
    }

    [Fact]
    public void Rejected_release_takes_over_only_where_there_is_no_other()
    {
        DeployAWithSpare("b", "c");
        var better = _world.ContainerOf("c").Ref;
        _world.Journal = _world.Journal.WithRejection(World.Hash("b"), new FailureEvidence { Class = FailureClass.Timeout, Message = "slow", At = _world.Now });

        _world.ExitOnly("a");

        Assert.Equal(better, _world.Decide().Journal!.Switch!.To);
    }

    [Fact]
    public void Active_container_that_was_started_again_gets_the_traffic_once_it_is_ready_with_a_fence_of_its_own()
    {
        _world.Deploy("a");
        var former = _world.Journal.Fence;
        _world.Change("a", c => c with { StartedAt = c.StartedAt + TimeSpan.FromSeconds(1), Verdict = Verdict.Unverified });
        Assert.Null(_world.Decide().Effect);

        _world.ProbeOnce();
        while (_world.Decide() is { Effect: null, Journal: { } journal })
            _world.Journal = journal;
        var step = _world.Decide();

        Assert.Equal("Serve", step.Row);
        Assert.Equal(former + 1, step.Journal!.Fence);
        Assert.Equal(former + 1, Assert.IsType<Effect.Route>(step.Effect).Snapshot.Fence);
    }

    [Fact]
    public void Nobody_takes_over_while_the_Proxy_is_away()
    {
        DeployAWithSpare("b");
        _world.ProxyIsAway = true;

        _world.ExitOnly("a");

        Assert.Equal("CountCrash", _world.Decide().Row);
    }

    [Fact]
    public void Nobody_takes_over_while_a_switch_is_under_way()
    {
        _world.Deploy("a");
        _world.Publish("c");
        _world.Launch("c");
        var route = _world.BeginSwitchTo("b");
        _world.Journal = _world.Journal.Without(_world.ContainerOf("c").Ref);

        _world.ExitOnly("a");

        Assert.Equal("CountCrash", _world.Decide(route).Row);
    }

    [Fact]
    public void Traffic_doesnt_go_back_once_the_probation_is_over()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(5) } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
        _world.Advance(Probation);

        _world.ExitOnly("b");

        Assert.Equal("CountCrash", _world.Decide().Row);
    }

    [Fact]
    public void Traffic_doesnt_go_back_to_a_release_that_isnt_ready()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Change("a", c => c with { Verdict = Verdict.Unverified });

        _world.ExitOnly("b");

        Assert.Equal("CountCrash", _world.Decide().Row);
    }

    [Fact]
    public void Traffic_doesnt_go_back_to_a_container_with_which_something_is_under_way()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        var warm = _world.ContainerOf("a");

        _world.ExitOnly("b");

        Assert.Equal("CountCrash", _world.Decide(new Effect.Stop(warm.Ref, warm.Id, TimeSpan.Zero, 9)).Row);
    }

    [Fact]
    public void Release_whose_container_somebody_paused_on_probation_gives_the_traffic_back_and_is_not_rejected()
    {
        _world.Deploy("a");
        _world.Deploy("b");

        _world.Change("b", c => c with { State = ContainerState.Paused });
        var step = _world.Decide();

        Assert.Equal(World.Hash("a"), step.Journal!.Active!.Ref.Hash);
        Assert.Null(step.Journal.RejectionOf(World.Hash("b")));
    }

    [Fact]
    public void Only_the_deployment_of_the_release_that_failed_is_rolled_back()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Publish("c");
        _world.Launch("c");

        _world.ExitOnly("b");

        Assert.Equal([DeploymentEnd.Succeeded, DeploymentEnd.RolledBack, DeploymentEnd.Succeeded], _world.Decide().Journal!.Deployments.Select(d => d.End!.Value));
    }

    [Fact]
    public void Only_a_deployment_that_had_succeeded_is_rolled_back()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Journal = new Order.Switch(World.Hash("b"), Force: true).ApplyTo(_world.Journal, _world.Now.AddTicks(1), World.Settings).Journal;

        _world.ExitOnly("b");

        Assert.Equal(new DeploymentEnd?[] { null, DeploymentEnd.RolledBack, DeploymentEnd.Succeeded }, _world.Decide().Journal!.Deployments.Select(d => d.End));
    }

    [Fact]
    public void Active_release_gets_another_container_where_the_name_of_the_one_to_be_created_is_taken()
    {
        _world.Deploy("a");
        var former = _world.Journal.Active!.Ref;
        _world.RemoveContainersOf("a");
        _world.Fail(new Effect.Create(former, "id-a"), Outcome.Refused);

        _world.Settle();

        Assert.NotEqual(former, _world.Journal.Active!.Ref);
        Assert.Equal(_world.Journal.Active.Ref.Name, Assert.Single(_world.Containers).Ref.Name);
    }

    [Fact]
    public void Active_release_gets_another_container_where_the_address_of_the_one_to_be_started_is_taken()
    {
        _world.Deploy("a");
        var former = _world.Journal.Active!.Ref;
        _world.StopEverything();
        _world.Fail(new Effect.Start(former, _world.ContainerOf("a").Id), Outcome.Refused);

        Assert.Equal("Rehouse", _world.Decide().Row);
        Assert.NotEqual(former, _world.Decide().Journal!.Active!.Ref);
    }

    [Fact]
    public void Active_container_that_runs_is_kept_where_a_start_found_its_address_taken()
    {
        _world.Deploy("a");
        var active = _world.Journal.Active!.Ref;
        _world.Fail(new Effect.Start(active, "id-a"), Outcome.Refused);

        _world.Settle();

        Assert.Equal(active, _world.Journal.Active!.Ref);
    }

    [Fact]
    public void End_of_everything_by_a_reboot_counts_as_no_crash()
    {
        _world.Deploy("a");
        _world.StopEverything();

        _world.Settle();

        Assert.Null(_world.Journal.Crashes);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(-1, 3)]
    public void Run_of_ten_minutes_forgets_the_crashes_before_it(long ticks, int crashes)
    {
        _world.Deploy("a");
        _world.Exit("a");
        _world.Exit("a");
        _world.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _world.Journal.Crashes!.Count);
        _world.Wait(World.Settings.GoodRun * 2);

        _world.Change("a", c => c with { State = ContainerState.Exited, ExitedByItself = true, FinishedAt = c.StartedAt + World.Settings.GoodRun + TimeSpan.FromTicks(ticks) });

        Assert.Equal(crashes, _world.Decide().Journal!.Crashes!.Count);
    }

    [Fact]
    public void Start_after_a_crash_is_put_off_until_the_back_off_is_over()
    {
        _world.Deploy("a");
        _world.Exit("a");
        _world.Exit("a");

        var step = _world.Decide();

        Assert.True(step.IsWait);
        Assert.Equal("The active release crashed 2 times; it is started again", step.Reason);
        Assert.Equal(_world.Now + TimeSpan.FromSeconds(1), step.LookAgainAt);
    }

    [Fact]
    public void Reboot_ends_the_back_off_of_the_active_release()
    {
        _world.Deploy("a");
        _world.Exit("a");
        _world.Exit("a");
        _world.Calls.Clear();

        _world.StopEverything();
        _world.Settle();

        Assert.Equal(["start a", "route a"], _world.Calls);
    }

    [Fact]
    public void Nothing_is_said_to_be_as_it_should_where_the_wanted_release_failed_or_current_json_cannot_be_used()
    {
        _world.Deploy("a");
        _world.Current = new CurrentDocument.Invalid("2", "It is no JSON.");
        Assert.Equal("current.json can't be used, and what serves goes on", _world.Decide().Reason);

        _world.Deploy("b");
        _world.Exit("b");
        Assert.Equal($"Release {World.Hash("b")[..12]} failed, and what serves goes on; wunderproxy retry tries it again", _world.Decide().Reason);
    }

    [Fact]
    public void Status_says_why_the_active_release_doesnt_serve()
    {
        _world.Deploy("a");
        Assert.Equal("Everything is as it should be", _world.Decide().Reason);

        _world.BecomeUnready("a");
        Assert.Equal("The active release isn't healthy", _world.Decide().Reason);

        _world.Change("a", c => c with { State = ContainerState.Paused });
        Assert.Equal("The active container is paused; unpause it", _world.Decide().Reason);
    }

    [Fact]
    public void Maintenance_waits_until_the_Proxy_is_known()
    {
        _world.Deploy("a");
        _world.ProxyIsAway = true;

        _world.Journal = _world.Journal with { Maintenance = true };

        Assert.True(_world.Decide().IsWait);
    }

    [Fact]
    public void Proxy_is_told_nothing_else_while_a_switch_is_being_given_up()
    {
        _world.Deploy("a");
        _world.BeginSwitchTo("b");
        _world.Change("b", c => c with { Verdict = Verdict.Unverified });
        var abort = _world.Decide();
        _world.Journal = abort.Journal! with { Maintenance = true };
        _world.Fail(abort.Effect!, Outcome.Transient);
        Assert.IsType<Effect.RaiseFence>(abort.Effect);

        Assert.True(_world.Decide().IsWait);
        _world.Change("a", c => c with { Address = "172.30.0.9:9292" });
        Assert.True(_world.Decide().IsWait);
    }

    // The first of the spare ones.
    private ContainerRef DeployAWithSpare(params string[] names)
    {
        _world.Deploy("a");
        foreach (var name in names)
        {
            _world.Publish(name);
            _world.Launch(name);
        }

        foreach (var name in names)
            _world.Journal = _world.Journal.Without(_world.ContainerOf(name).Ref);
        return _world.ContainerOf(names[0]).Ref;
    }
}
