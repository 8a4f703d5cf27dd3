using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Following;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Following;

public sealed class FormerReleaseTests
{
    private static readonly string Warm = new('b', 64);
    private static readonly string Kept = new('c', 64);
    private static readonly string Gone = new('d', 64);

    private static readonly StatusDocument Status = new FakeOperations().Status with
    {
        Releases = [Release(FakeOperations.Hash, ReleasePhase.Active), Release(Kept, ReleasePhase.Retained), Release(Warm, ReleasePhase.Draining)],
        Deployments = [Deployment(Kept, DeploymentKind.Launch, DeploymentEnd.Succeeded), Deployment(Kept, DeploymentKind.Deploy, DeploymentEnd.Failed), Deployment(Gone, DeploymentKind.Deploy, DeploymentEnd.Succeeded)],
    };

    [Fact]
    public void Warm_release_comes_first() => Assert.Equal(Warm, FormerRelease.Of(Status)!.Hash);

    [Fact]
    public void Kept_release_comes_where_none_is_warm() => Assert.Equal(Kept, FormerRelease.Of(Status with { Releases = [.. Status.Releases.Take(2)] })!.Hash);

    [Fact]
    public void Release_that_was_deployed_well_before_comes_where_none_is_here() => Assert.Equal(Gone, FormerRelease.Of(Status with { Releases = [] })!.Hash);

    [Fact]
    public void Host_on_which_nothing_else_served_has_none() => Assert.Null(FormerRelease.Of(Status with { Releases = [.. Status.Releases.Take(1)], Deployments = [] }));

    private static ReleaseStatus Release(string hash, ReleasePhase phase) => new() { Hash = hash, Revision = "", Phase = phase };

    private static DeploymentStatus Deployment(string hash, DeploymentKind kind, DeploymentEnd end) => FakeOperations.Running with { Hash = hash, Kind = kind, End = end };
}
