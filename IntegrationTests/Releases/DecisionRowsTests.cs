using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What brings the journal up to date with what was decided and with what has happened.</summary>
public sealed class DecisionRowsTests
{
    private readonly World _world = new();

    [Fact]
    public void Deployments_that_begin_at_the_same_moment_have_different_ids()
    {
        _world.Publish("a");
        _world.Publish("b");
        for (var i = 0; i < 15; i++)
        {
            _world.Accept(new Order.Launch(World.Hash("a")));
            _world.Accept(new Order.Launch(World.Hash("b")));
        }

        Assert.Equal(20, _world.Journal.Deployments.Select(d => d.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void New_state_file_waits_for_the_Proxy_where_there_are_containers()
    {
        _world.Deploy("a");
        _world.Current = new CurrentDocument.Unreadable("away");
        _world.Journal = new Journal { NeedsAdoption = true };
        _world.ProxyIsAway = true;

        Assert.True(_world.Decide().IsWait);
        Assert.Equal("The Proxy isn't reached; it knows which release serves", _world.Decide().Reason);
    }

    [Fact]
    public void New_state_file_on_an_empty_host_waits_for_nobody()
    {
        _world.Journal = new Journal { NeedsAdoption = true };
        _world.ProxyIsAway = true;

        Assert.Equal(new Journal(), _world.Decide().Journal);
    }

    [Fact]
    public void New_state_file_takes_over_what_runs_before_what_the_Proxy_served_last()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.ExitOnly("b");

        Assert.Equal(World.Hash("a"), Adopted().Active!.Ref.Hash);
    }

    [Fact]
    public void New_state_file_takes_over_what_the_Proxy_serves_among_what_runs()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");

        var adopted = Adopted();

        Assert.Equal(World.Hash("a"), adopted.Active!.Ref.Hash);
        Assert.Equal([World.Hash("a")], adopted.History);
        Assert.Null(adopted.Retained);
        Assert.Equal(2, adopted.Incarnation);
    }

    [Fact]
    public void New_state_file_takes_over_the_latest_of_what_runs_where_the_Proxy_knows_nothing()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Proxy = null;

        Assert.Equal(World.Hash("b"), Adopted().Active!.Ref.Hash);
    }

    [Fact]
    public void New_state_file_keeps_the_release_that_stopped_last_where_nothing_runs_or_serves()
    {
        StopInTurn("a", "b");
        _world.Proxy = null;

        var adopted = Adopted();

        Assert.Null(adopted.Active);
        Assert.Empty(adopted.History);
        Assert.Equal(World.Hash("b"), adopted.Retained!.Hash);
    }

    [Fact]
    public void New_state_file_keeps_another_release_than_the_one_that_it_takes_over()
    {
        StopInTurn("a", "b");

        var adopted = Adopted();

        Assert.Equal(World.Hash("b"), adopted.Active!.Ref.Hash);
        Assert.Equal(World.Hash("a"), adopted.Retained!.Hash);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public void Journal_counts_on_from_the_fence_and_the_generation_that_the_Proxy_has_seen(long fence, long generation)
    {
        _world.Deploy("a");
        var (seenFence, seenGeneration) = (_world.Proxy!.Fence + fence, _world.Proxy.Generation + generation);
        _world.Proxy = _world.Proxy with { Fence = seenFence, Generation = seenGeneration };

        var journal = _world.Decide().Journal!;

        Assert.Equal((seenFence, seenGeneration), (journal.Fence, journal.SnapshotGeneration));
    }

    [Theory]
    [InlineData(true, 2)]
    [InlineData(false, 1)]
    public void Release_that_is_named_anew_is_reloaded_only_where_its_configuration_asks_for_it(bool forceReload, int incarnation)
    {
        _world.Deploy("a");
        _world.Wait(TimeSpan.FromSeconds(1));

        _world.Deploy("a", c => c with { ForceReload = forceReload });

        Assert.Equal(incarnation, _world.Journal.Active!.Ref.Incarnation);
    }

    [Fact]
    public void Deadline_of_a_deployment_is_looked_at_in_time_while_the_engine_is_away_too()
    {
        _world.EngineIsAway = true;

        _world.Deploy("a");

        Assert.Equal(_world.Now + World.Settings.ProgressDeadline, _world.Decide().LookAgainAt);
    }

    [Fact]
    public void Launch_that_takes_too_long_is_given_up_and_no_other_one()
    {
        _world.EngineIsAway = true;
        _world.Publish("a");
        _world.Publish("b");
        _world.Launch("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Launch("b");

        _world.Advance(World.Settings.ProgressDeadline - TimeSpan.FromSeconds(1));

        Assert.Equal([World.Hash("b")], _world.Journal.Candidates.Select(c => c.Ref.Hash));
        var launch = _world.Journal.Deployments.Single(d => d.Hash == World.Hash("a"));
        Assert.Equal("It took longer than it may. It was given up; order it again once the cause is gone.", launch.Message);
    }

    [Fact]
    public void Release_that_is_to_have_traffic_by_now_outlives_its_launch()
    {
        _world.EngineIsAway = true;
        _world.Publish("a");
        _world.Launch("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.EngineIsAway = false;
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Switch("a");
        _world.EngineIsAway = true;

        _world.Advance(World.Settings.ProgressDeadline - TimeSpan.FromSeconds(1));

        Assert.Equal(DeploymentEnd.Failed, _world.Journal.Deployments[1].End);
        Assert.Single(_world.Journal.Candidates);
    }

    [Fact]
    public void Deployment_that_takes_too_long_is_tried_on_and_says_what_failed_last()
    {
        _world.EngineIsAway = true;
        _world.Deploy("a");
        _world.Fail(new Effect.Pull(World.Hash("a"), "image-a"), Outcome.TerminalEnv, message: "The registry is away.");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Fail(new Effect.Pull(World.Hash("a"), "other"), Outcome.TerminalEnv, message: "The disk is full.");

        _world.Advance(World.Settings.ProgressDeadline);

        Assert.Equal("The disk is full. It is tried on.", _world.Latest.Message);
    }

    [Theory]
    [InlineData(0, "The registry is away. It is tried on.")]
    [InlineData(1, "It took longer than it may. It is tried on.")]
    public void What_failed_before_a_deployment_began_is_no_reason_of_its_end(int seconds, string message)
    {
        _world.EngineIsAway = true;
        _world.Fail(new Effect.Pull(World.Hash("b"), "image-b"), Outcome.TerminalEnv, message: "The registry is away.");
        _world.Wait(TimeSpan.FromSeconds(seconds));
        _world.Deploy("a");

        _world.Advance(World.Settings.ProgressDeadline);

        Assert.Equal(message, _world.Latest.Message);
    }

    [Fact]
    public void Switch_to_the_release_that_current_json_names_by_now_fails_at_its_deadline_and_the_release_is_tried_on()
    {
        _world.EngineIsAway = true;
        _world.Publish("a");
        _world.Switch("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Deploy("a");

        _world.Advance(World.Settings.ProgressDeadline - TimeSpan.FromSeconds(1));

        Assert.Equal(DeploymentEnd.Failed, _world.Journal.Deployments[1].End);
        Assert.Equal(World.Hash("a"), _world.Journal.Desired!.Hash);
        Assert.False(_world.Journal.Desired.GivenUp);
    }

    [Fact]
    public void Launch_of_the_release_that_serves_has_succeeded_at_once_even_while_it_is_to_be_reloaded()
    {
        _world.Deploy("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Accept(new Order.Switch(World.Hash("a"), Force: true));
        _world.Accept(new Order.Launch(World.Hash("a")));

        Assert.Equal([DeploymentEnd.Succeeded, null, DeploymentEnd.Succeeded], _world.Decide().Journal!.Deployments.Select(d => d.End));
    }

    [Fact]
    public void Reload_has_succeeded_only_once_the_new_container_serves()
    {
        _world.Deploy("a");
        _world.Wait(TimeSpan.FromSeconds(1));
        _world.Accept(new Order.Switch(World.Hash("a"), Force: true));
        while (_world.Journal.Switch is null)
        {
            if (_world.Next().IsWait)
                _world.ProbeOnce();
            Assert.Null(_world.Latest.End);
        }
    }

    [Fact]
    public void Launch_has_succeeded_only_once_the_release_is_healthy()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Unhealthy.Add(World.Hash("b"));

        Assert.Null(_world.Launch("b").End);

        _world.Unhealthy.Clear();
        _world.Settle();
        Assert.Equal(DeploymentEnd.Succeeded, _world.Latest.End);
    }

    [Fact]
    public void Switch_back_has_not_succeeded_while_the_switch_before_it_is_under_way()
    {
        _world.Deploy("a");
        var route = _world.BeginSwitchTo("b");

        _world.Accept(new Order.Switch(World.Hash("a"), Force: false));
        while (_world.Decide(route) is { Journal: { } journal })
            _world.Journal = journal;

        Assert.Null(_world.Latest.End);
    }

    [Fact]
    public void Launch_of_the_release_to_which_traffic_moves_is_superseded_by_nobody()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Journal = _world.Journal.Without(_world.ContainerOf("b").Ref);
        _world.ExitOnly("a");
        _world.Journal = _world.Decide().Journal!;
        Assert.NotNull(_world.Journal.Switch);

        _world.Accept(new Order.Launch(World.Hash("b")));

        Assert.Equal("Route", _world.Decide().Row);
    }

    [Fact]
    public void Run_of_the_active_container_that_was_seen_ready_is_noted()
    {
        _world.Deploy("a");
        Assert.Equal((_world.ContainerOf("a").Id, _world.ContainerOf("a").StartedAt), (_world.Journal.Active!.VerifiedId, _world.Journal.Active.VerifiedStart));
        _world.ProxyIsAway = true;

        _world.Change("a", c => c with { Id = "other" });
        Assert.Equal("other", _world.Decide().Journal!.Active!.VerifiedId);

        _world.Settle();
        _world.Change("a", c => c with { StartedAt = _world.Now.AddHours(1) });
        Assert.Equal(_world.Now.AddHours(1), _world.Decide().Journal!.Active!.VerifiedStart);

        _world.Change("a", c => c with { Verdict = Verdict.Unverified });
        Assert.Null(_world.Decide().Journal);
    }

    private Journal Adopted()
    {
        _world.Current = new CurrentDocument.Unreadable("away");
        _world.Journal = new Journal { NeedsAdoption = true, Fence = _world.Proxy?.Fence ?? 0, SnapshotGeneration = _world.Proxy?.Generation ?? 0 };
        return _world.Decide().Journal!;
    }

    private void StopInTurn(params string[] names)
    {
        foreach (var name in names)
        {
            _world.Deploy(name);
            _world.Wait(TimeSpan.FromSeconds(1));
        }

        foreach (var name in names)
        {
            _world.Wait(TimeSpan.FromSeconds(1));
            _world.Change(name, c => c with { State = ContainerState.Exited, FinishedAt = _world.Now, Address = null });
        }
    }
}
