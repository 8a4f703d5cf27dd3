using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Events;

namespace Wunderproxy.Controller.Hooks;

/// <summary>What a status said of what hooks are told: enough to find what has happened until a later one.</summary>
/// <param name="Active">Hash of the release that served; absent: none.</param>
/// <param name="Deployments">The latest deployments by id, and how they had ended; null: not yet.</param>
internal sealed record SeenHost(string? Active, IReadOnlyDictionary<string, DeploymentEnd?> Deployments)
{
    // After a long time without hooks nobody wants to be told of all that.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    public static SeenHost Of(StatusDocument status) => new(status.Active, status.Deployments.ToDictionary(deployment => deployment.Id, deployment => deployment.End, StringComparer.Ordinal));

    /// <summary>The ends and switches until a later status, in their order; those of the last day.</summary>
    public IEnumerable<HostEvent> Until(StatusDocument status) =>
        HostEvents.Between(Before(status), status).Where(happened => happened.Event is HostEventKind.DeploymentEnded or HostEventKind.TrafficSwitched && happened.At > status.At - Longest);

    private StatusDocument Before(StatusDocument status) => status with
    {
        Active = Active,
        Deployments = [.. status.Deployments.Where(deployment => Deployments.ContainsKey(deployment.Id)).Select(deployment => deployment with { End = Deployments[deployment.Id] })],
    };
}
