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

public sealed class PhaseLogTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ContainerRef Container = new(World.Hash("a"), 1, "shop-a-1");

    [Fact]
    public void Deployment_never_goes_back_to_accepted_while_the_containers_are_a_moment_behind()
    {
        var log = new PhaseLog(NullLogger.Instance);

        log.Note(Situation());
        log.Note(Situation(new Effect.Create(Container, "image")));
        log.Note(Situation());
        log.Note(Situation(new Effect.Start(Container, "id")));

        Assert.Equal([ReleasePhase.Accepted, ReleasePhase.Creating, ReleasePhase.Starting], log.Of("1").Select(p => p.Phase));
    }

    private static Situation Situation(params Effect[] working)
    {
        var journal = new Journal
        {
            Candidates = [new Candidate(Container, CandidateGoal.Active, Noon)],
            Deployments = [new Deployment { Id = "1", Kind = DeploymentKind.Deploy, Hash = Container.Hash, AcceptedAt = Noon, Deadline = Noon.AddMinutes(10) }],
        };
        var seen = new Observation
        {
            Containers = new Fact<ValueList<ContainerFact>>.Known([]),
            Proxy = new Fact<ApplicationState?>.Known(null),
            Current = new CurrentDocument.Absent(),
            Configurations = new Dictionary<string, Fact<LaunchConfiguration>>(),
            Images = new Dictionary<string, Fact<string>>(),
            References = new Dictionary<string, string>(),
            Working = working,
            Failures = new Dictionary<string, EffectFailure>(),
        };
        return new Situation(seen, journal, Noon, World.Settings);
    }
}
