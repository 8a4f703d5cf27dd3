using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>Which release that stands by gets requests before the switch, and that it gets none when its container goes.</summary>
public sealed class StandbysTests
{
    private static readonly SigningKey Key = new(Convert.ToBase64String(new byte[Canary.KeyBytes]));

    private readonly World _world = new();

    [Fact]
    public void Launched_release_is_shown_where_its_configuration_has_a_preview()
    {
        Launch("b");

        Assert.Equal(["show b"], _world.Calls.TakeLast(1));
        Assert.Equal((World.Hash("b"), 0), (_world.Proxy!.Standby!.Target.Release, _world.Proxy.Standby.Percent));
        Assert.Equal("a", _world.Serving);
    }

    [Fact]
    public void Release_that_nobody_is_to_get_to_is_not_shown()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");

        Assert.DoesNotContain("show b", _world.Calls);
        Assert.Null(_world.Proxy!.Standby);
    }

    [Fact]
    public void First_release_ever_is_shown_by_its_own_routing_before_it_serves()
    {
        _world.Publish("b", c => c with { Preview = new Preview(), Routing = new Routing { Hosts = ["shop.example"] } });
        _world.Launch("b");

        Assert.Equal((World.Hash("b"), null), (_world.Proxy!.Standby!.Target.Release, _world.Proxy.Target));
        Assert.Equal(["shop.example"], _world.Proxy.Routing.Hosts);
    }

    [Fact]
    public void Snapshot_says_who_may_see_it_and_how_long_its_requests_have_where_it_is_withdrawn()
    {
        var preview = new Preview { TokenHashes = [new string('0', 64)] };
        _world.Deploy("a");
        _world.Publish("b", c => c with { Preview = preview, Canary = new CanarySpec { Header = "X-Customer" }, Drain = new DrainSpec { Timeout = TimeSpan.FromSeconds(7), StreamTimeout = TimeSpan.FromSeconds(8) } });
        _world.Launch("b");
        _world.Accept(Share(10));

        var standby = Assert.IsType<Effect.Show>(_world.Decide().Effect).Snapshot.Standby!;

        Assert.Equal((preview, 10, "X-Customer"), (standby.Preview, standby.Canary!.Percent, standby.Canary.Header));
        Assert.Equal((7, 8), (standby.DrainTimeout.TotalSeconds, standby.StreamDrainTimeout.TotalSeconds));
    }

    [Fact]
    public void Share_is_changed_live_and_ended_by_order()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");

        Order(Share(10));
        Assert.Equal(10, _world.Proxy!.Standby!.Percent);
        Order(Share(50));
        Assert.Equal(50, _world.Proxy.Standby!.Percent);
        Order(new Order.Share(null, null));

        Assert.Null(_world.Proxy.Standby);
        Assert.Equal(["show b", "show b", "withdraw"], _world.Calls.TakeLast(3));
    }

    [Fact]
    public void Configuration_gives_a_release_its_share_as_soon_as_it_stands_by_unless_another_has_one()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Publish("c");
        Order(new Order.Launch(World.Hash("b")) { Canary = new RunningCanary(World.Hash("b"), 5), Key = Key });
        Assert.Equal(5, _world.Proxy!.Standby!.Percent);

        Order(new Order.Launch(World.Hash("c")) { Canary = new RunningCanary(World.Hash("c"), 5), Key = Key });

        Assert.Equal(World.Hash("b"), _world.Proxy.Standby!.Target.Release);
    }

    [Fact]
    public void Latest_launch_is_shown_but_a_canary_stays_where_it_is()
    {
        Launch("b");
        _world.Publish("c", c => c with { Preview = new Preview() });
        _world.Launch("c");
        Assert.Equal(World.Hash("c"), _world.Proxy!.Standby!.Target.Release);

        Order(Share(10));

        Assert.Equal((World.Hash("b"), 10), (_world.Proxy.Standby!.Target.Release, _world.Proxy.Standby.Percent));
    }

    [Fact]
    public void Switch_to_it_leaves_it_shown_until_then_and_ends_the_canary()
    {
        Launch("b");
        Order(Share(10));
        var before = _world.Calls.Count;

        _world.Switch("b");

        Assert.Equal(["route b"], _world.Calls.Skip(before));
        Assert.Equal(("b", null, null), (_world.Serving, _world.Proxy!.Standby, _world.Journal.Canary));
        Assert.Equal(Key, _world.Journal.CanaryKey);
    }

    [Fact]
    public void Switch_to_another_release_ends_the_canary_and_stops_nothing_that_requests_run_on()
    {
        Launch("b");
        Order(Share(10));
        _world.InFlight["b"] = 1;

        _world.Deploy("c");

        Assert.Equal(("c", null, null), (_world.Serving, _world.Proxy!.Standby, _world.Journal.Canary));
        Assert.DoesNotContain("stop b", _world.Calls);
        _world.FinishRequests("b");
        Assert.Contains("stop b", _world.Calls);
    }

    [Fact]
    public void Release_whose_time_is_up_is_withdrawn_before_it_is_stopped()
    {
        Launch("b");
        var before = _world.Calls.Count;

        _world.Advance(World.Settings.StandbyLimit + TimeSpan.FromMinutes(1));

        Assert.Equal(["withdraw", "stop b", "remove b"], _world.Calls.Skip(before).Take(3));
    }

    [Fact]
    public void Release_that_exits_or_turns_unready_is_withdrawn_and_shown_again_when_it_is_ready()
    {
        Launch("b");
        Order(Share(10));

        _world.Exit("b");
        Assert.Null(_world.Proxy!.Standby);
        _world.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((_world.ContainerOf("b").StartedAt, 10), (_world.Proxy!.Standby!.Target.StartedAt, _world.Proxy.Standby.Percent));

        _world.BecomeUnready("b");
        Assert.Null(_world.Proxy.Standby);
    }

    [Fact]
    public void Controller_that_starts_leaves_it_shown_until_its_first_probe()
    {
        Launch("b");

        _world.ForgetVerdicts();
        Assert.DoesNotContain("Show", _world.Decide().Row, StringComparison.Ordinal);
        _world.Change("b", c => c with { Verdict = c.Verdict with { LastFailure = ProbeFailure.Refused } });

        Assert.IsType<Effect.Show>(_world.Decide().Effect);
    }

    [Fact]
    public void Maintenance_and_a_restarted_active_release_leave_it_shown()
    {
        Launch("b");

        Order(new Order.Maintenance(Up: true));
        Assert.NotNull(_world.Proxy!.Standby);
        _world.Exit("a");
        _world.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((_world.ContainerOf("a").StartedAt, World.Hash("b")), (_world.Proxy!.Target!.StartedAt, _world.Proxy.Standby!.Target.Release));
        Assert.DoesNotContain("withdraw", _world.Calls);
    }

    [Fact]
    public void Nothing_is_shown_anew_while_traffic_is_not_where_it_is_to_be()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        _world.Change("a", c => c with { StartedAt = _world.Now });

        _world.Accept(Share(10));
        while (_world.Decide().Effect is null)
            _world.Next();

        var route = Assert.IsType<Effect.Route>(_world.Decide().Effect);
        Assert.Null(route.Snapshot.Standby);
        Assert.Null(_world.Decide(route).Effect);
    }

    [Fact]
    public void Withdrawal_can_not_move_traffic_back_for_it_has_the_fence_that_the_proxy_has()
    {
        Launch("b");
        _world.ExitOnly("b");
        while (_world.Decide().Effect is null)
            _world.Next();

        var snapshot = Assert.IsType<Effect.Show>(_world.Decide().Effect).Snapshot;

        Assert.Equal((_world.Proxy!.Fence, null), (snapshot.Fence, snapshot.Standby));
    }

    [Fact]
    public void Switch_to_it_that_is_given_up_leaves_it_shown()
    {
        Launch("b");
        _world.Accept(new Order.Switch(World.Hash("b"), Force: false));
        while (_world.Journal.Switch is null)
            _world.Next();
        var route = _world.Decide().Effect!;
        _world.Fail(route, Controller.Releases.Outcome.Refused);

        var fence = Assert.IsType<Effect.RaiseFence>(_world.Decide().Effect);

        Assert.Null(fence.Id);
    }

    [Fact]
    public void Nothing_is_stopped_while_it_may_be_shown_by_a_message_that_is_under_way()
    {
        _world.Deploy("a");
        _world.Publish("b", c => c with { Preview = new Preview() });
        _world.Accept(new Order.Launch(World.Hash("b")));
        while (_world.Decide().Effect is not Effect.Show)
        {
            _world.Next();
            _world.ProbeOnce();
        }

        var show = _world.Decide().Effect!;
        _world.Journal = _world.Journal.Without(_world.ContainerOf("b").Ref);

        Assert.True(_world.Decide(show).IsWait);
        Assert.IsType<Effect.Stop>(_world.Decide().Effect);
    }

    private void Launch(string name)
    {
        _world.Deploy("a");
        _world.Publish(name, c => c with { Preview = new Preview() });
        _world.Launch(name);
    }

    private static Order.Share Share(int percent) => new(new RunningCanary(World.Hash("b"), percent), Key);

    private void Order(Order order)
    {
        _world.Accept(order);
        _world.Settle();
    }
}
