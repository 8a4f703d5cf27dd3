using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

public sealed class PlanTests
{
    private static readonly TimeSpan Probation = TimeSpan.FromSeconds(60);

    private readonly World _world = new();

    [Fact]
    public void First_release_is_pulled_created_started_and_routed_once_it_is_healthy()
    {
        _world.Deploy("a");

        Assert.Equal(["pull a", "create a", "start a", "route a"], _world.Calls);
        Assert.Equal(DeploymentEnd.Succeeded, _world.Latest.End);
        Assert.Equal(ReleasePhase.Active, _world.PhaseOf("a"));
    }

    [Fact]
    public void Replaced_release_stays_warm_for_the_probation_and_is_then_stopped_and_retained()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Calls.Clear();

        Assert.Equal(ReleasePhase.Probation, _world.PhaseOf("b"));
        Assert.Equal(ReleasePhase.Draining, _world.PhaseOf("a"));
        _world.Advance(Probation);

        Assert.Equal(["stop a"], _world.Calls);
        Assert.Equal(ReleasePhase.Retained, _world.PhaseOf("a"));
        Assert.Equal(ReleasePhase.Active, _world.PhaseOf("b"));
    }

    [Fact]
    public void Replaced_release_is_stopped_only_after_its_last_request_ends()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(5) } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
        _world.Advance(Probation);
        Assert.DoesNotContain("stop a", _world.Calls);

        _world.FinishRequests("a");

        Assert.Contains("stop a", _world.Calls);
    }

    [Fact]
    public void Replaced_release_is_stopped_at_its_drain_deadline_whatever_it_still_does()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(5) } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");

        _world.Advance(TimeSpan.FromMinutes(5));

        Assert.Contains("stop a", _world.Calls);
    }

    [Fact]
    public void Only_one_stopped_release_and_the_images_of_the_last_three_are_kept()
    {
        foreach (var name in new[] { "a", "b", "c", "d", "e" })
        {
            _world.Deploy(name);
            _world.Advance(Probation);
        }

        Assert.Equal(["d", "e"], _world.Containers.Select(c => World.NameOf(c.Ref.Hash)).Order());
        Assert.Equal(["image-c", "image-d", "image-e"], _world.Images.Order());
    }

    [Fact]
    public void Image_stays_as_long_as_a_container_is_being_created_from_it()
    {
        var old = new ContainerRef(World.Hash("a"), 1, "shop-a-1");
        _world.Journal = new Journal { Images = [new OwnedImage(World.Hash("a"), "image-a")] };
        var seen = _world.Observe();

        Assert.IsType<Effect.RemoveImage>(Plan.Next(seen, _world.Journal, _world.Now, World.Settings).Effect);
        Assert.Null(Plan.Next(seen with { Working = [new Effect.Create(old, "image-a")] }, _world.Journal, _world.Now, World.Settings).Effect);
    }

    [Fact]
    public void Image_that_was_here_before_is_never_removed()
    {
        _world.Images.Add("image-a");
        foreach (var name in new[] { "a", "b", "c", "d", "e" })
        {
            _world.Deploy(name);
            _world.Advance(Probation);
        }

        Assert.Contains("image-a", _world.Images);
    }

    [Fact]
    public void Launched_release_stands_by_until_it_is_switched_to_and_pins_the_host_until_current_json_changes()
    {
        _world.Deploy("a");
        _world.Publish("b");

        Assert.Equal(DeploymentEnd.Succeeded, _world.Launch("b").End);
        Assert.Equal("a", _world.Serving);
        Assert.Equal(ReleasePhase.Standby, _world.PhaseOf("b"));
        Assert.Equal(DeploymentEnd.Succeeded, _world.Switch("b").End);
        Assert.Equal("b", _world.Serving);
        Assert.NotNull(_world.Journal.Pin);

        _world.Deploy("c");

        Assert.Equal("c", _world.Serving);
        Assert.Null(_world.Journal.Pin);
    }

    [Fact]
    public void Launch_of_two_and_switch_to_the_first_leaves_the_first_alive()
    {
        _world.Publish("a");
        _world.Publish("b");
        _world.Launch("a");
        _world.Launch("b");

        _world.Switch("a");
        _world.Advance(Probation);

        Assert.Equal("a", _world.Serving);
        Assert.Contains(_world.Containers, c => c.Ref.Hash == World.Hash("a") && c.IsReady);
        Assert.DoesNotContain(_world.Containers, c => c.Ref.Hash == World.Hash("b"));
    }

    [Fact]
    public void Third_standby_takes_the_place_of_the_oldest_whose_launch_stays_as_it_ended()
    {
        foreach (var name in new[] { "a", "b", "c" })
        {
            _world.Publish(name);
            _world.Launch(name);
        }

        Assert.Equal(ReleasePhase.Removed, _world.PhaseOf("a"));
        Assert.Equal(ReleasePhase.Standby, _world.PhaseOf("b"));
        Assert.Equal(ReleasePhase.Standby, _world.PhaseOf("c"));
    }

    [Fact]
    public void Switch_back_to_a_retained_release_starts_it_without_creating_or_pulling()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(Probation);
        _world.Calls.Clear();

        _world.Switch("a");

        Assert.Equal(["start a", "route a"], _world.Calls);
    }

    [Fact]
    public void Switch_back_to_a_warm_release_starts_nothing()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Calls.Clear();

        _world.Switch("a");

        Assert.Equal(["route a"], _world.Calls);
    }

    [Fact]
    public void Release_that_dies_on_probation_gives_the_traffic_back_without_a_start_and_is_not_tried_again()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Calls.Clear();

        _world.Exit("b", 7);
        _world.Advance(TimeSpan.FromHours(1));

        Assert.Equal("a", _world.Serving);
        Assert.Equal(["route a", "remove b"], _world.Calls);
        Assert.Equal(DeploymentEnd.RolledBack, _world.Latest.End);
        Assert.Equal(7, _world.Latest.Failure!.ExitCode);
        Assert.Equal(FailureClass.Exited, _world.Latest.Failure.Class);
    }

    [Fact]
    public void Release_that_turns_unready_on_probation_gives_the_traffic_back()
    {
        _world.Deploy("a");
        _world.Deploy("b");

        _world.BecomeUnready("b");

        Assert.Equal("a", _world.Serving);
        Assert.Equal(FailureClass.UnhealthyStatus, _world.Latest.Failure!.Class);
    }

    [Fact]
    public void Rejected_release_is_tried_again_when_somebody_decides_anew()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Exit("b");
        Assert.Equal(ReleasePhase.Rejected, _world.PhaseOf("b"));

        Assert.Equal(DeploymentEnd.Succeeded, _world.Switch("b").End);

        Assert.Equal("b", _world.Serving);
    }

    [Fact]
    public void Release_that_exits_before_it_is_healthy_is_rejected_at_once_and_the_former_one_serves_on()
    {
        _world.Deploy("a");
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Deploy("b");

        _world.Exit("b", 3);

        Assert.Equal("a", _world.Serving);
        Assert.Equal(DeploymentEnd.Failed, _world.Latest.End);
        Assert.Equal((FailureClass.Exited, 3), (_world.Latest.Failure!.Class, _world.Latest.Failure.ExitCode));
    }

    [Fact]
    public void Release_killed_for_its_memory_is_rejected_as_such()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");

        _world.Exit("a", 137, oom: true);

        Assert.Equal(FailureClass.OutOfMemory, _world.Latest.Failure!.Class);
    }

    [Fact]
    public void Standby_that_was_healthy_and_exits_three_times_is_a_crash_loop()
    {
        _world.Publish("a");
        _world.Launch("a");

        for (var i = 0; i < 3; i++)
        {
            _world.Exit("a");
            _world.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(FailureClass.CrashLoop, _world.Journal.RejectionOf(World.Hash("a"))!.Evidence.Class);
    }

    [Fact]
    public void Release_that_is_not_healthy_at_its_deadline_is_rejected_with_its_last_answer()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a", c => c with { HealthCheck = new HealthCheckSpec { Deadline = TimeSpan.FromSeconds(3) } });

        _world.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(FailureClass.UnhealthyStatus, _world.Latest.Failure!.Class);
        Assert.Contains("503", _world.Latest.Failure.Message, StringComparison.Ordinal);
        Assert.Empty(_world.Containers);
    }

    [Fact]
    public void Missing_image_rejects_the_release()
    {
        _world.MissingInRegistry.Add("image-a");
        _world.Deploy("a");

        Assert.Equal(FailureClass.ImageMissing, _world.Latest.Failure!.Class);
        Assert.Equal(
            "Release a can't be started: no such image image-a. No release serves. Push the image, or correct ContainerConfig.Image; then publish a new configuration, or launch this one again.",
            _world.Latest.Message);
    }

    [Fact]
    public void Crashed_active_release_is_started_at_once_and_then_with_growing_delay()
    {
        _world.Deploy("a");
        _world.Calls.Clear();
        _world.Exit("a");
        Assert.Equal(["start a", "route a"], _world.Calls);

        _world.Exit("a");
        Assert.Equal(["start a", "route a"], _world.Calls);
        _world.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(["start a", "route a", "start a", "route a"], _world.Calls);
    }

    [Fact]
    public void After_a_reboot_the_same_release_serves_again_without_store_and_without_back_off()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(Probation);
        _world.Calls.Clear();
        _world.Current = new CurrentDocument.Unreadable("away");
        _world.StopEverything();

        _world.Settle();

        Assert.Equal(["start b", "route b"], _world.Calls);
        Assert.Equal("b", _world.Serving);
    }

    [Fact]
    public void Restart_of_the_engine_during_probation_rejects_nobody()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.StopEverything();

        _world.Settle();

        Assert.Equal("b", _world.Serving);
        Assert.Null(_world.Journal.RejectionOf(World.Hash("b")));
    }

    [Fact]
    public void Active_container_that_somebody_removed_is_created_again()
    {
        _world.Deploy("a");
        _world.Calls.Clear();
        _world.RemoveContainersOf("a");

        _world.Settle();

        Assert.Equal(["create a", "start a", "route a"], _world.Calls);
    }

    [Fact]
    public void Nothing_is_started_or_stopped_while_the_containers_are_not_known()
    {
        _world.Deploy("a");
        _world.Calls.Clear();
        _world.EngineIsAway = true;

        _world.Deploy("b");
        _world.Advance(TimeSpan.FromHours(1));

        Assert.Empty(_world.Calls);
    }

    [Fact]
    public void Nothing_is_stopped_and_no_traffic_moves_while_the_Proxy_is_away()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Calls.Clear();
        _world.ProxyIsAway = true;

        _world.Advance(TimeSpan.FromHours(1));

        Assert.Empty(_world.Calls);
    }

    [Fact]
    public void Unreadable_absent_or_invalid_current_json_changes_nothing()
    {
        _world.Deploy("a");
        var journal = _world.Journal;
        foreach (var document in new CurrentDocument[] { new CurrentDocument.Unreadable("away"), new CurrentDocument.Absent(), new CurrentDocument.Invalid("other", "bad") })
        {
            _world.Current = document;
            _world.Settle();
            Assert.Equal(journal, _world.Journal);
        }
    }

    [Fact]
    public void Settled_plan_writes_nothing_and_does_nothing()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(Probation);

        var step = _world.Next();

        Assert.True(step.IsWait);
        Assert.Equal("Settled", step.Row);
    }

    [Fact]
    public void Newer_deployment_supersedes_the_one_on_its_way()
    {
        _world.Deploy("a");
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Deploy("b");

        _world.Deploy("c");

        Assert.Equal("c", _world.Serving);
        Assert.Equal(DeploymentEnd.Superseded, _world.Journal.Deployments.First(d => d.Hash == World.Hash("b")).End);
        Assert.DoesNotContain(_world.Containers, c => c.Ref.Hash == World.Hash("b"));
    }

    [Fact]
    public void Switch_whose_target_turned_unready_is_given_up_behind_a_newer_fence()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Accept(new Controller.Reconciling.Order.Switch(World.Hash("b"), false));
        while (_world.Journal.Switch is null)
            _world.Next();
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Calls.Clear();

        _world.Settle();

        Assert.Equal("a", _world.Serving);
        Assert.Contains("fence", _world.Calls);
        Assert.Null(_world.Journal.Switch);
    }

    [Fact]
    public void Switch_that_came_true_though_its_answer_was_lost_is_committed()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Accept(new Controller.Reconciling.Order.Switch(World.Hash("b"), false));
        while (_world.Serving != "b")
            _world.Next();

        var step = _world.Next();

        Assert.Equal("Commit", step.Row);
        Assert.Equal(World.Hash("b"), _world.Journal.Active!.Ref.Hash);
    }

    [Fact]
    public void Forced_reload_replaces_the_container_of_the_release_that_serves()
    {
        _world.Deploy("a");
        var before = _world.Proxy!.Target!.ContainerId;

        _world.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(DeploymentEnd.Succeeded, _world.Switch("a", force: true).End);

        Assert.NotEqual(before, _world.Proxy.Target!.ContainerId);
    }

    [Fact]
    public void New_state_file_takes_over_the_container_that_serves()
    {
        _world.Deploy("a");
        _world.Calls.Clear();
        _world.Journal = new Journal { NeedsAdoption = true };

        _world.Settle();

        Assert.Empty(_world.Calls);
        Assert.Equal(World.Hash("a"), _world.Journal.Active!.Ref.Hash);
        Assert.Equal(_world.Proxy!.Fence, _world.Journal.Fence);
    }

    [Fact]
    public void After_a_power_cut_that_took_the_state_file_too_the_same_release_serves_again_without_the_store()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Calls.Clear();
        _world.StopEverything();
        _world.Journal = new Journal { NeedsAdoption = true };
        _world.Current = new CurrentDocument.Unreadable("away");

        _world.Settle();

        Assert.Equal("b", _world.Serving);
        Assert.Equal(["start b", "route b"], _world.Calls);
        Assert.Equal(World.Hash("a"), _world.Journal.Retained?.Hash);
    }

    [Fact]
    public void Maintenance_is_put_up_and_down_without_moving_traffic()
    {
        _world.Deploy("a");
        _world.Journal = _world.Journal with { Maintenance = true };
        _world.Settle();
        Assert.True(_world.Proxy!.Maintenance);

        _world.Journal = _world.Journal with { Maintenance = false };
        _world.Settle();

        Assert.False(_world.Proxy.Maintenance);
        Assert.Equal("a", _world.Serving);
    }

    [Fact]
    public void Traffic_is_paused_and_goes_on_without_moving()
    {
        _world.Deploy("a");
        _world.Journal = _world.Journal with { IsPaused = true };
        _world.Settle();
        Assert.True(_world.Proxy!.IsPaused);
        Assert.False(_world.Proxy.Maintenance);

        _world.Journal = _world.Journal with { IsPaused = false, Maintenance = true };
        _world.Settle();

        Assert.False(_world.Proxy.IsPaused);
        Assert.True(_world.Proxy.Maintenance);
        Assert.Equal("a", _world.Serving);
    }

    [Fact]
    public void Release_is_switched_to_while_traffic_is_paused_and_the_pause_lasts()
    {
        _world.Deploy("a");
        _world.Journal = _world.Journal with { IsPaused = true };
        _world.Settle();

        _world.Deploy("b");

        Assert.Equal("b", _world.Serving);
        Assert.True(_world.Proxy!.IsPaused);
    }

    [Fact]
    public void Maintenance_goes_up_while_the_active_release_is_down_too()
    {
        _world.Deploy("a");
        _world.BecomeUnready("a");
        _world.Calls.Clear();

        _world.Journal = _world.Journal with { Maintenance = true };
        _world.Settle();

        Assert.True(_world.Proxy!.Maintenance);
        Assert.Equal(["maintain"], _world.Calls);
    }

    [Fact]
    public void Order_that_the_registry_kept_waiting_fails_at_its_deadline_and_is_given_up()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Fail(new Effect.Pull(World.Hash("b"), "image-b"), Outcome.TerminalEnv);
        _world.ProxyIsAway = true;
        _world.Switch("b");

        _world.Advance(World.Settings.ProgressDeadline);
        _world.ProxyIsAway = false;
        _world.Settle();

        Assert.Equal(DeploymentEnd.Failed, _world.Latest.End);
        Assert.Equal(FailureClass.DeadlineExceeded, _world.Latest.Failure!.Class);
        Assert.Equal("a", _world.Serving);
    }

    [Fact]
    public void Release_whose_host_another_application_has_is_rejected_and_the_former_one_serves_on()
    {
        _world.Deploy("a");
        _world.TakenRoutes.Add(World.Hash("b"));

        _world.Deploy("b");

        Assert.Equal(DeploymentEnd.Failed, _world.Latest.End);
        Assert.Equal(FailureClass.RouteTaken, _world.Latest.Failure!.Class);
        Assert.Equal("a", _world.Serving);
        Assert.Null(_world.Journal.Switch);
        Assert.Equal(["a"], _world.Containers.Select(c => World.NameOf(c.Ref.Hash)));
    }

    [Fact]
    public void Maintenance_keeps_the_routing_that_the_proxy_has()
    {
        _world.Deploy("a", c => c with { Routing = new Routing { Hosts = ["shop.example"] } });
        _world.BecomeUnready("a");

        _world.Journal = _world.Journal with { Maintenance = true };
        _world.Settle();

        Assert.True(_world.Proxy!.Maintenance);
        Assert.Equal(["shop.example"], _world.Proxy.Routing.Hosts);
    }

    [Fact]
    public void Deployment_ends_at_its_deadline_while_the_engine_is_away_too()
    {
        _world.Deploy("a");
        _world.EngineIsAway = true;
        _world.Deploy("b");

        _world.Advance(World.Settings.ProgressDeadline);

        Assert.Equal(DeploymentEnd.Failed, _world.Latest.End);
    }

    [Fact]
    public void First_switch_is_given_up_only_once_the_Proxy_has_acknowledged_a_newer_fence()
    {
        _world.Publish("a");
        _world.Launch("a");
        _world.Accept(new Controller.Reconciling.Order.Switch(World.Hash("a"), false));
        while (_world.Journal.Switch is null)
            _world.Next();
        _world.ForgetVerdicts();

        var abort = _world.Decide();
        Assert.IsType<Effect.RaiseFence>(abort.Effect);
        _world.Journal = abort.Journal!;

        Assert.NotNull((_world.Decide().Journal ?? _world.Journal).Switch);
    }

    [Fact]
    public void Retained_release_that_runs_again_is_stopped_again()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(Probation);
        _world.Calls.Clear();

        _world.StartContainersOf("a");
        _world.Settle();

        Assert.Equal(["stop a"], _world.Calls);
        Assert.Equal(ReleasePhase.Retained, _world.PhaseOf("a"));
    }

    [Fact]
    public void Traffic_goes_back_only_once_the_switch_that_is_under_way_has_come_true_or_was_given_up()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Journal = new Controller.Reconciling.Order.Switch(World.Hash("b"), Force: true).ApplyTo(_world.Journal, _world.Now.AddTicks(1), World.Settings).Journal;
        while (_world.Journal.Switch is null)
        {
            if (_world.Next().IsWait)
                _world.ProbeOnce();
        }

        var route = _world.Decide();
        _world.Journal = route.Journal!;
        _world.ExitOnly("b");

        Assert.Equal(World.Hash("b"), (_world.Decide(route.Effect!).Journal ?? _world.Journal).Active!.Ref.Hash);
    }

    [Fact]
    public void Container_that_may_be_the_target_is_not_removed_while_the_Proxy_is_away()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Calls.Clear();
        _world.ProxyIsAway = true;

        _world.Exit("b");

        Assert.Empty(_world.Calls);
    }

    [Fact]
    public void Release_that_failed_on_probation_finishes_its_requests_before_it_is_stopped()
    {
        _world.Deploy("a");
        _world.InFlight["b"] = 1;
        _world.Deploy("b");
        _world.BecomeUnready("b");
        Assert.Equal("a", _world.Serving);
        Assert.DoesNotContain("stop b", _world.Calls);

        _world.FinishRequests("b");

        Assert.Contains("stop b", _world.Calls);
    }

    [Fact]
    public void Switch_is_a_fact_only_once_no_message_to_the_Proxy_is_under_way()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Accept(new Controller.Reconciling.Order.Switch(World.Hash("b"), false));
        Effect? sent = null;
        while (_world.Serving != "b")
            sent = _world.Next().Effect;

        Assert.True(_world.Decide(sent!).IsWait);
        Assert.Equal("Commit", _world.Decide().Row);
    }

    [Fact]
    public void Drain_deadline_counts_from_when_traffic_left_the_release()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(5) } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
        _world.Wait(TimeSpan.FromMinutes(1));
        var left = _world.Now;
        _world.Proxy = _world.Proxy! with { Targets = [.. _world.Proxy.Targets.Select(t => t with { DrainingSince = t.Target.Release == World.Hash("a") ? left : null })] };

        _world.Advance(TimeSpan.FromMinutes(4));
        Assert.DoesNotContain("stop a", _world.Calls);

        _world.Advance(TimeSpan.FromMinutes(1));
        Assert.Contains("stop a", _world.Calls);
    }

    [Fact]
    public void Container_whose_stop_was_begun_gets_no_traffic_any_more()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Wait(Probation);
        var stop = _world.Decide();
        Assert.IsType<Effect.Stop>(stop.Effect);
        _world.Journal = stop.Journal!;
        _world.Calls.Clear();

        _world.Switch("a");

        Assert.Equal("a", _world.Serving);
        Assert.Contains("create a", _world.Calls);
    }

    [Fact]
    public void Standby_that_was_not_probed_since_the_Controller_started_is_not_rejected()
    {
        _world.Publish("a");
        _world.Launch("a");
        _world.Advance(TimeSpan.FromHours(1));
        _world.ForgetVerdicts();

        _world.Settle();

        Assert.Null(_world.Journal.RejectionOf(World.Hash("a")));
        Assert.Equal(ReleasePhase.Standby, _world.PhaseOf("a"));
    }

    [Fact]
    public void Every_row_has_an_id_of_its_own_or_the_same_step_name_as_its_method() =>
        Assert.Equal(Plan.Rows.Length, Plan.Rows.Select(r => r.Id).Distinct(StringComparer.Ordinal).Count());

    [Fact]
    public void Deployment_ends_by_its_deadline_even_while_the_engine_is_away()
    {
        _world.Deploy("a");
        _world.EngineIsAway = true;
        _world.Deploy("b");

        _world.Advance(World.Settings.ProgressDeadline);

        Assert.Equal(DeploymentEnd.Failed, _world.Latest.End);
        Assert.Equal(FailureClass.DeadlineExceeded, _world.Latest.Failure!.Class);
    }

    [Fact]
    public void Document_that_is_put_right_lifts_the_pin_even_if_it_is_the_one_from_before_the_switch()
    {
        _world.Publish("b");
        _world.Deploy("a");
        var before = _world.Current;
        _world.Switch("b");
        _world.Current = before;
        _world.Settle();
        Assert.Equal("b", _world.Serving);

        _world.Current = new CurrentDocument.Invalid("other", "bad");
        _world.Settle();
        Assert.Equal("b", _world.Serving);

        _world.Current = before;
        _world.Settle();
        Assert.Equal("a", _world.Serving);
    }
}
