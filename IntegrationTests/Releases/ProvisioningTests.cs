using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What brings images here and creates containers, within the bounds that are set.</summary>
public sealed class ProvisioningTests
{
    private readonly World _world = new();

    [Fact]
    public void Bounds_are_those_that_are_documented()
    {
        var settings = World.Settings;

        Assert.Equal((4, 2, 3, 3), (settings.MaxContainers, settings.MaxStandbys, settings.RetainedImages, settings.MaxAttempts));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromHours(24), TimeSpan.FromMinutes(10)), (settings.ProgressDeadline, settings.StandbyLimit, settings.GoodRun));
        Assert.Equal(TimeSpan.FromMilliseconds(250), settings.DrainPoll);
    }

    [Theory]
    [InlineData(Outcome.Refused, true, true)]
    [InlineData(Outcome.Transient, true, false)]
    [InlineData(Outcome.Refused, false, false)]
    internal void Container_gets_another_name_only_where_its_own_is_taken(Outcome outcome, bool isCreate, bool isRenamed)
    {
        _world.EngineIsAway = true;
        _world.Deploy("a");
        _world.EngineIsAway = false;
        while (_world.Journal.Candidates.Count == 0)
            _world.Next();
        var candidate = _world.Journal.Candidates[0].Ref;

        _world.Fail(isCreate ? new Effect.Create(candidate, "id-a") : new Effect.Remove(candidate, "id"), outcome);

        Assert.Equal(isRenamed, _world.Decide().Row == "Rename");
    }

    [Fact]
    public void Start_that_is_refused_the_address_gets_another_container_too() =>
        Assert.True(Provisioning.IsTaken(new EffectFailure(new Effect.Start(new(World.Hash("a"), 1, "shop-a-1"), "id"), Outcome.Refused, null, "taken", _world.Now, 1, _world.Now)));

    [Fact]
    public void Nothing_is_created_before_configuration_and_image_are_known_and_it_is_said_what_is_waited_for()
    {
        _world.Deploy("a");
        _world.RemoveContainersOf("a");
        var seen = _world.Observe();

        Assert.Equal("the store is away", Reason(seen with { Configurations = Known<LaunchConfiguration>(new Fact<LaunchConfiguration>.Unknown("the store is away")) }));
        Assert.Equal($"The configuration {World.Hash("a")} is being read", Reason(seen with { Configurations = new Dictionary<string, Fact<LaunchConfiguration>>() }));
        Assert.Equal("the engine is away", Reason(seen with { Images = Known<string>(new Fact<string>.Unknown("the engine is away")) }));
        Assert.Equal($"The image of {_world.Journal.Active!.Ref.Name} is being looked for", Reason(seen with { Images = new Dictionary<string, Fact<string>>() }));
    }

    [Fact]
    public void Image_that_is_brought_here_again_is_noted_once()
    {
        _world.Deploy("a");
        _world.RemoveContainersOf("a");
        _world.Images.Clear();

        _world.Settle();

        Assert.Single(_world.Journal.Images);
    }

    [Fact]
    public void Retained_release_makes_room_before_a_standby_does()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        _world.Advance(TimeSpan.FromSeconds(60));
        StandBy("c", "d");

        _world.Unhealthy.Add(World.Hash("e"));
        _world.Deploy("e");

        Assert.Equal(["b", "c", "d", "e"], _world.Containers.Select(c => World.NameOf(c.Ref.Hash)).Order());
    }

    [Fact]
    public void Oldest_standby_makes_room_where_no_release_is_retained()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        StandBy("c", "d");

        _world.Unhealthy.Add(World.Hash("e"));
        _world.Deploy("e");

        Assert.Equal(["a", "b", "d", "e"], _world.Containers.Select(c => World.NameOf(c.Ref.Hash)).Order());
    }

    [Fact]
    public void Nothing_is_created_where_no_container_may_go()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        StandBy("c", "d");
        _world.Journal = _world.Journal.Without(_world.ContainerOf("c").Ref).Without(_world.ContainerOf("d").Ref);
        _world.Publish("e");
        _world.Images.Add("image-e");
        _world.Accept(new Controller.Reconciling.Order.Launch(World.Hash("e")));
        var situation = _world.Situation();

        Assert.Null(Provisioning.Step(situation, "Provide", _world.Journal.Candidates[0].Ref, "It is missing"));
        Assert.Equal("4 containers exist; one of them has to go first", situation.Wait.Reason);
    }

    [Fact]
    public void Retained_release_whose_container_is_gone_makes_no_room()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        StandBy("c", "d");
        var gone = new ContainerRef(World.Hash("x"), 7, "shop-x-7");
        _world.Journal = _world.Journal with { Retained = gone };
        _world.Publish("e");
        _world.Images.Add("image-e");

        var step = Provisioning.Step(Wanting("e"), "Provide", new ContainerRef(World.Hash("e"), 8, "shop-e-8"), "It is missing");

        Assert.Equal("The oldest standby makes room", step!.Reason);
    }

    [Fact]
    public void Release_that_is_to_become_active_makes_no_room()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        StandBy("c", "d");
        _world.Journal = _world.Journal with { Retained = null, Candidates = [.. _world.Journal.Candidates.Select(c => c with { Goal = CandidateGoal.Active })] };
        _world.Publish("e");
        _world.Images.Add("image-e");

        Assert.Null(Provisioning.Step(Wanting("e"), "Provide", new ContainerRef(World.Hash("e"), 8, "shop-e-8"), "It is missing"));
    }

    [Fact]
    public void Standby_that_has_no_container_yet_makes_no_room()
    {
        _world.Deploy("a");
        _world.Deploy("b");
        StandBy("c", "d");
        var absent = _world.Journal.Candidates[0] with { Ref = new ContainerRef(World.Hash("x"), 7, "shop-x-7") };
        _world.Journal = _world.Journal with { Retained = null, Candidates = [absent, .. _world.Journal.Candidates] };
        _world.Publish("e");
        _world.Images.Add("image-e");

        var step = Provisioning.Step(Wanting("e"), "Provide", new ContainerRef(World.Hash("e"), 8, "shop-e-8"), "It is missing");

        Assert.Contains(absent, step!.Journal!.Candidates);
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public void Container_that_is_being_created_and_not_listed_yet_counts(int listed, bool mayCreate)
    {
        _world.Deploy("a");
        if (listed > 1)
            _world.Deploy("b");
        if (listed > 2)
            StandBy("c");
        _world.Journal = _world.Journal with { Retained = null, Candidates = [] };
        _world.Publish("e");
        _world.Images.Add("image-e");
        _world.Accept(new Controller.Reconciling.Order.Launch(World.Hash("e")));
        var other = new Effect.Create(new ContainerRef(World.Hash("d"), 9, "shop-d-9"), "id-d");
        var isListed = new Effect.Create(_world.ContainerOf("a").Ref, "id-a");
        var own = new Effect.Create(_world.Journal.Candidates[0].Ref, "id-e");

        Assert.Equal(listed, _world.Containers.Count());
        Assert.Equal(mayCreate, Create(other) is not null);
        Assert.NotNull(Create(isListed));
        Assert.Null(Create(own));
        Assert.Equal("It is missing", Note(own));

        Step? Create(Effect working) => Provisioning.Step(_world.Situation(working), "Provide", _world.Journal.Candidates[0].Ref, "It is missing");

        string Note(Effect working)
        {
            var situation = _world.Situation(working);
            Provisioning.Step(situation, "Provide", _world.Journal.Candidates[0].Ref, "It is missing");
            return situation.Wait.Reason;
        }
    }

    private void StandBy(params string[] names)
    {
        foreach (var name in names)
        {
            _world.Publish(name);
            _world.Launch(name);
        }
    }

    // Its configuration and image are looked at, too.
    private Situation Wanting(string name)
    {
        var journal = _world.Journal;
        _world.Accept(new Controller.Reconciling.Order.Launch(World.Hash(name)));
        var seen = _world.Observe();
        _world.Journal = journal;
        return new Situation(seen, journal, _world.Now, World.Settings);
    }

    private string Reason(Observation seen)
    {
        var step = Plan.Next(seen, _world.Journal, _world.Now, World.Settings);
        Assert.True(step.IsWait);
        return step.Reason;
    }

    private static Dictionary<string, Fact<T>> Known<T>(Fact<T> fact) => new() { [World.Hash("a")] = fact };
}
