using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>Deployments that are withdrawn while they are under way, and those that are tried again.</summary>
public sealed class WithdrawalTests
{
    private readonly World _world = new();

    [Fact]
    public void Release_that_is_withdrawn_is_removed_and_not_tried_again_by_itself()
    {
        DeployUnhealthyB();

        Abort();

        Assert.Equal(DeploymentEnd.Cancelled, _world.Latest.End);
        Assert.Equal("a", _world.Serving);
        Assert.DoesNotContain(_world.Containers, c => World.NameOf(c.Ref.Hash) == "b");
        Assert.Contains("wunderproxy retry tries it again", _world.Decide().Reason, StringComparison.Ordinal);
        _world.Unhealthy.Clear();
        _world.Advance(TimeSpan.FromHours(1));
        Assert.Equal("a", _world.Serving);
    }

    [Fact]
    public void Release_that_was_withdrawn_is_deployed_when_it_is_tried_again()
    {
        DeployUnhealthyB();
        Abort();
        _world.Unhealthy.Clear();

        Retry();

        Assert.Equal("b", _world.Serving);
        Assert.Equal((DeploymentKind.Deploy, DeploymentEnd.Succeeded), (_world.Latest.Kind, _world.Latest.End));
    }

    [Fact]
    public void Release_that_failed_is_deployed_when_it_is_tried_again()
    {
        DeployUnhealthyB();
        _world.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(DeploymentEnd.Failed, _world.Latest.End);
        _world.Unhealthy.Clear();

        Retry();

        Assert.Equal("b", _world.Serving);
    }

    [Fact]
    public void Switch_that_is_withdrawn_leaves_what_serves()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Switch("b");

        Abort();

        Assert.Equal((DeploymentKind.Switch, DeploymentEnd.Cancelled), (_world.Latest.Kind, _world.Latest.End));
        Assert.Equal("a", _world.Serving);
        _world.Unhealthy.Clear();
        Retry();
        Assert.Equal("b", _world.Serving);
    }

    [Fact]
    public void Launch_that_is_withdrawn_leaves_no_container()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Launch("b");

        Abort();

        Assert.Equal((DeploymentKind.Launch, DeploymentEnd.Cancelled), (_world.Latest.Kind, _world.Latest.End));
        Assert.Single(_world.Containers);
    }

    [Fact]
    public void Release_may_be_withdrawn_at_every_step_until_traffic_moves()
    {
        var withdrawn = 0;
        for (var steps = 0; steps < 20; steps++, withdrawn++)
        {
            var world = new World();
            world.Deploy("a");
            world.Publish("b");
            world.Current = new CurrentDocument.Valid(World.Hash("b"), "etag-b");
            for (var i = 0; i <= steps; i++)
            {
                world.Next();
                world.ProbeOnce();
            }

            if (new Order.Abort().RefusalIn(world.Journal) is not null)
                break;

            world.Accept(new Order.Abort());
            world.Settle();

            Assert.Equal("a", world.Serving);
            Assert.Single(world.Containers);
        }

        Assert.InRange(withdrawn, 4, 19);
    }

    [Fact]
    public void Newer_document_is_deployed_after_a_withdrawal()
    {
        DeployUnhealthyB();
        Abort();

        _world.Deploy("c");

        Assert.Equal("c", _world.Serving);
    }

    [Fact]
    public void Document_that_was_withdrawn_is_deployed_when_it_replaces_one_that_cant_be_used()
    {
        DeployUnhealthyB();
        var document = _world.Current;
        Abort();
        _world.Unhealthy.Clear();
        _world.Current = new CurrentDocument.Invalid("etag-garbage", "it is no JSON");
        _world.Settle();
        Assert.Equal("a", _world.Serving);

        _world.Current = document;
        _world.Settle();

        Assert.Equal("b", _world.Serving);
    }

    [Fact]
    public void Nothing_is_withdrawn_where_nothing_is_under_way_or_traffic_is_just_being_moved()
    {
        _world.Deploy("a");
        Assert.Contains("No deployment is under way", new Order.Abort().RefusalIn(_world.Journal), StringComparison.Ordinal);

        _world.BeginSwitchTo("b");

        Assert.Contains("Traffic is just being moved", new Order.Abort().RefusalIn(_world.Journal), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_tried_again_that_runs_or_succeeded_or_isnt_wanted_any_more()
    {
        Assert.Contains("Nothing was deployed yet", new Order.Retry().RefusalIn(_world.Journal), StringComparison.Ordinal);
        _world.Deploy("a");
        Assert.Contains("succeeded", new Order.Retry().RefusalIn(_world.Journal), StringComparison.Ordinal);
        DeployUnhealthyB();
        Assert.Contains("is under way", new Order.Retry().RefusalIn(_world.Journal), StringComparison.Ordinal);
        Abort();
        Assert.Null(new Order.Retry().RefusalIn(_world.Journal));

        var another = _world.Journal with { Desired = _world.Journal.Desired! with { Hash = World.Hash("c") } };

        Assert.Contains("current.json doesn't name", new Order.Retry().RefusalIn(another), StringComparison.Ordinal);
    }

    private void DeployUnhealthyB()
    {
        if (_world.Serving is null)
            _world.Deploy("a");
        _world.Unhealthy.Add(World.Hash("b"));
        _world.Deploy("b");
        Assert.Null(_world.Latest.End);
    }

    private void Abort()
    {
        Assert.Null(new Order.Abort().RefusalIn(_world.Journal));
        _world.Accept(new Order.Abort());
        _world.Settle();
    }

    private void Retry()
    {
        Assert.Null(new Order.Retry().RefusalIn(_world.Journal));
        _world.Accept(new Order.Retry());
        _world.Settle();
    }
}
