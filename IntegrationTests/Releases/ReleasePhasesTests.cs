using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>Where a release is in its life, by the facts.</summary>
public sealed class ReleasePhasesTests
{
    private readonly World _world = new();

    [Fact]
    public void Release_to_which_traffic_moves_is_activating()
    {
        _world.Deploy("a");
        _world.BeginSwitchTo("b");

        Assert.Equal(ReleasePhase.Activating, _world.PhaseOf("b"));
        Assert.Equal(ReleasePhase.Active, _world.PhaseOf("a"));
    }

    [Fact]
    public void Active_release_that_isnt_ready_is_recovering()
    {
        _world.Deploy("a");
        _world.Change("a", c => c with { Verdict = Verdict.Unverified });
        Assert.Equal(ReleasePhase.Recovering, _world.PhaseOf("a"));

        _world.RemoveContainersOf("a");
        Assert.Equal(ReleasePhase.Recovering, _world.PhaseOf("a"));
    }

    [Fact]
    public void Probation_ends_on_time_whatever_still_drains()
    {
        _world.Deploy("a", c => c with { Drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(5) } });
        _world.InFlight["a"] = 1;
        _world.Deploy("b");
        _world.Wait(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(1));
        Assert.Equal(ReleasePhase.Probation, _world.PhaseOf("b"));

        _world.Wait(TimeSpan.FromTicks(1));

        Assert.Equal(ReleasePhase.Active, _world.PhaseOf("b"));
        Assert.Equal(ReleasePhase.Draining, _world.PhaseOf("a"));
        Assert.Equal(ReleasePhase.Removed, _world.PhaseOf("c"));
    }

    [Fact]
    public void Release_on_its_way_is_in_the_phase_of_what_is_under_way_for_it()
    {
        var (candidate, other) = Chosen();

        Assert.Equal(ReleasePhase.Accepted, _world.PhaseOf("a"));
        Assert.Equal(ReleasePhase.Pulling, _world.PhaseOf("a", new Effect.Pull(World.Hash("a"), "image-a")));
        Assert.Equal(ReleasePhase.Creating, _world.PhaseOf("a", new Effect.Create(candidate, "id-a")));
        Assert.Equal(ReleasePhase.Starting, _world.PhaseOf("a", new Effect.Start(candidate, "id")));
        Assert.Equal(ReleasePhase.Accepted, _world.PhaseOf("a", new Effect.Pull(World.Hash("b"), "image-b"), new Effect.Create(other, "id-b")));
    }

    [Fact]
    public void Release_on_its_way_is_in_the_phase_that_its_container_shows()
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");
        Assert.Equal(ReleasePhase.Verifying, _world.PhaseOf("a"));

        _world.StopEverything();
        Assert.Equal(ReleasePhase.Starting, _world.PhaseOf("a"));

        _world.RemoveContainersOf("a");
        Assert.Equal(ReleasePhase.Accepted, _world.PhaseOf("a"));
    }

    [Fact]
    public void Release_backs_off_until_a_failed_effect_is_tried_again()
    {
        var (candidate, other) = Chosen();

        _world.Fail(new Effect.Create(other, "id-b"), Outcome.Transient);
        _world.Fail(new Effect.Pull(World.Hash("b"), "image-b"), Outcome.Transient);
        Assert.Equal(ReleasePhase.Accepted, _world.PhaseOf("a"));

        _world.Fail(new Effect.Create(candidate, "id-a"), Outcome.Transient);
        Assert.Equal(ReleasePhase.BackingOff, _world.PhaseOf("a"));
        _world.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal(ReleasePhase.Accepted, _world.PhaseOf("a"));

        _world.Fail(new Effect.Pull(World.Hash("a"), "image-a"), Outcome.Transient);
        Assert.Equal(ReleasePhase.BackingOff, _world.PhaseOf("a"));
    }

    [Fact]
    public void Release_backs_off_after_an_exit()
    {
        _world.Publish("a");
        _world.Launch("a");
        _world.Exit("a");
        Assert.Equal(ReleasePhase.BackingOff, _world.PhaseOf("a"));

        _world.Wait(TimeSpan.FromMilliseconds(250));

        Assert.Equal(ReleasePhase.Starting, _world.PhaseOf("a"));
    }

    [Fact]
    public void Replaced_release_drains_until_it_is_being_stopped()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        var (container, other) = (_world.ContainerOf("a"), _world.ContainerOf("b"));

        Assert.Equal(ReleasePhase.Draining, _world.PhaseOf("a", new Effect.Stop(other.Ref, other.Id, TimeSpan.Zero, 9)));
        Assert.Equal(ReleasePhase.Draining, _world.PhaseOf("a", new Effect.Start(container.Ref, container.Id)));
        Assert.Equal(ReleasePhase.Stopping, _world.PhaseOf("a", new Effect.Stop(container.Ref, container.Id, TimeSpan.Zero, 9)));
    }

    [Fact]
    public void Container_without_purpose_is_superseded_until_it_is_being_stopped_or_removed()
    {
        _world.Deploy("a");
        _world.Publish("b");
        _world.Launch("b");
        var container = _world.ContainerOf("b");
        _world.Journal = _world.Journal.Without(container.Ref);

        Assert.Equal(ReleasePhase.Superseded, _world.PhaseOf("b"));
        Assert.Equal(ReleasePhase.Removed, _world.PhaseOf("c"));
        Assert.Equal(ReleasePhase.Stopping, _world.PhaseOf("b", new Effect.Stop(container.Ref, container.Id, TimeSpan.Zero, 9)));
        Assert.Equal(ReleasePhase.Stopping, _world.PhaseOf("b", new Effect.Remove(container.Ref, container.Id)));
    }

    [Fact]
    public void Release_that_is_wanted_and_was_not_chosen_yet_is_accepted()
    {
        _world.EngineIsAway = true;

        _world.Deploy("a");

        Assert.Equal(ReleasePhase.Accepted, _world.PhaseOf("a"));
        Assert.Equal(ReleasePhase.Removed, _world.PhaseOf("b"));
    }

    [Theory]
    [InlineData(ReleasePhase.Verifying, ReleasePhase.Standby, true)]
    [InlineData(ReleasePhase.Pulling, ReleasePhase.Active, false)]
    [InlineData(ReleasePhase.Retained, ReleasePhase.Active, false)]
    [InlineData(ReleasePhase.Removed, ReleasePhase.Stopping, false)]
    public void Life_of_a_release_follows_the_diagram(ReleasePhase from, ReleasePhase to, bool isPermitted) => Assert.Equal(isPermitted, PhaseGraph.Permits(from, to));

    [Fact]
    public void Diagram_shows_every_way_and_no_other()
    {
        var diagram = PhaseGraph.ToMermaid();
        foreach (var from in Enum.GetValues<ReleasePhase>())
        {
            foreach (var to in Enum.GetValues<ReleasePhase>())
                Assert.Equal(PhaseGraph.Permits(from, to), diagram.Contains($"\t{from} --> {to} :", StringComparison.Ordinal));
        }
    }

    // A candidate that nothing was done for yet, and another one.
    private (ContainerRef Candidate, ContainerRef Other) Chosen()
    {
        _world.Publish("a");
        _world.Publish("b");
        _world.Accept(new Controller.Reconciling.Order.Launch(World.Hash("a")));
        _world.Accept(new Controller.Reconciling.Order.Launch(World.Hash("b")));
        return (_world.Journal.Candidates[0].Ref, _world.Journal.Candidates[1].Ref);
    }
}
