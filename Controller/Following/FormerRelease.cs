using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Following;

/// <summary>The release that a host can go back to.</summary>
/// <param name="Hash">Its hash.</param>
/// <param name="Revision">Its name for people.</param>
/// <param name="State">What there is of it, continuing "it …".</param>
internal sealed record FormerRelease(string Hash, string Revision, string State)
{
    /// <summary>The one that served last: warm where possible, else the one that is kept, else the latest that was deployed well; <see langword="null"/> where none is known.</summary>
    public static FormerRelease? Of(StatusDocument status) =>
        Of(status, ReleasePhase.Draining, "is warm: traffic moves at once")
        ?? Of(status, ReleasePhase.Retained, "is stopped and kept: it is started and checked first")
        ?? OfDeployments(status);

    private static FormerRelease? Of(StatusDocument status, ReleasePhase phase, string state) =>
        status.Releases.FirstOrDefault(release => release.Phase == phase && release.Hash != status.Active) is { } found ? new(found.Hash, found.Revision, state) : null;

    private static FormerRelease? OfDeployments(StatusDocument status) =>
        status.Deployments.FirstOrDefault(deployment => deployment is { Kind: not DeploymentKind.Launch, End: DeploymentEnd.Succeeded } && deployment.Hash != status.Active) is { } served
            ? new(served.Hash, served.Revision, "is gone from this host: it is brought here again, started and checked first")
            : null;
}
