using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;
using Wunderproxy.IntegrationTests.Releases;

namespace Wunderproxy.IntegrationTests.Reconciling;

public sealed class DeploymentLogTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ContainerRef Container = new(World.Hash("a"), 1, "shop-a-1");

    [Fact]
    public void Deployment_never_goes_back_to_accepted_while_the_containers_are_a_moment_behind()
    {
        var log = new DeploymentLog(NullLogger.Instance);

        log.Note(Situation());
        log.Note(Situation(new Effect.Create(Container, "image")));
        log.Note(Situation());
        log.Note(Situation(new Effect.Start(Container, "id")));

        Assert.Equal([ReleasePhase.Accepted, ReleasePhase.Creating, ReleasePhase.Starting], PhasesIn(log).Select(p => p.Phase));
    }

    [Fact]
    public void Notes_go_to_the_disk_with_the_journal_and_a_later_log_goes_on_with_them()
    {
        var log = new DeploymentLog(NullLogger.Instance);
        log.Note(Situation());
        log.Note(Situation(new Effect.Create(Container, "image")));

        var kept = Assert.Single(log.Annotate([Deployment]));
        var later = new DeploymentLog(NullLogger.Instance);
        later.Note(Situation(kept, new Effect.Create(Container, "image")));
        later.Note(Situation(kept, new Effect.Start(Container, "id")));

        Assert.Equal("a", kept.Revision);
        Assert.Equal([ReleasePhase.Accepted, ReleasePhase.Creating], kept.Phases.Select(p => p.Phase));
        Assert.Equal([ReleasePhase.Accepted, ReleasePhase.Creating, ReleasePhase.Starting], later.PhasesOf(kept).Select(p => p.Phase));
    }

    [Fact]
    public void Name_that_is_known_once_is_known_when_the_configuration_is_not_here_any_more()
    {
        var log = new DeploymentLog(NullLogger.Instance);
        log.Note(Situation());
        var unknown = Situation();
        log.Note(new Situation(unknown.Seen with { Configurations = new Dictionary<string, Fact<LaunchConfiguration>>() }, unknown.Journal, Noon, World.Settings));

        Assert.Equal("a", Assert.Single(log.Annotate([Deployment])).Revision);
    }

    private static readonly Deployment Deployment = new() { Id = "1", Kind = DeploymentKind.Deploy, Hash = Container.Hash, AcceptedAt = Noon, Deadline = Noon.AddMinutes(10) };

    private static IEnumerable<PhaseEntry> PhasesIn(DeploymentLog log) => log.PhasesOf(Deployment);

    private static Situation Situation(params Effect[] working) => Situation(Deployment, working);

    private static Situation Situation(Deployment deployment, params Effect[] working)
    {
        var journal = new Journal { Candidates = [new Candidate(Container, CandidateGoal.Active, Noon)], Deployments = [deployment] };
        var seen = new Observation
        {
            Containers = new Fact<ValueList<ContainerFact>>.Known([]),
            Proxy = new Fact<ApplicationState?>.Known(null),
            Current = new CurrentDocument.Absent(),
            Configurations = new Dictionary<string, Fact<LaunchConfiguration>> { [Container.Hash] = new Fact<LaunchConfiguration>.Known(new LaunchConfiguration { Revision = "a", ContainerConfig = JsonElement.Parse("{}") }) },
            Images = new Dictionary<string, Fact<string>>(),
            References = new Dictionary<string, string>(),
            Working = working,
            Failures = new Dictionary<string, EffectFailure>(),
        };
        return new Situation(seen, journal, Noon, World.Settings);
    }
}
