using System.Diagnostics;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Metering;

namespace Wunderproxy.Controller.Exporting;

/// <summary>Makes a trace of each deployment that has ended, from the times that its phases had: one span for the whole, one within it for each phase.</summary>
/// <param name="application">Name of the application.</param>
internal sealed class DeploymentTraces(string application) : IDisposable
{
    /// <summary>What the spans are found by.</summary>
    public const string SourceName = "wunderproxy.deployments";

    private readonly ActivitySource _source = new(SourceName);

    /// <summary>Traces a deployment that has ended.</summary>
    public void Trace(DeploymentStatus deployment)
    {
        // A trace of its own, whatever is going on here.
        Activity.Current = null;
        using var whole = _source.StartActivity(deployment.Kind.ToString(), ActivityKind.Internal, default(ActivityContext), TagsOf(deployment), links: null, deployment.AcceptedAt);
        if (whole is null || deployment.EndedAt is not { } end)
        {
            return;
        }

        foreach (var span in PhaseSpan.Of(deployment))
        {
            using var phase = _source.StartActivity(span.Phase.ToString(), ActivityKind.Internal, whole.Context, tags: null, links: null, span.Begin);
            phase?.SetEndTime(span.End.UtcDateTime);
        }

        if (deployment.End is DeploymentEnd.Failed or DeploymentEnd.RolledBack)
        {
            whole.SetStatus(ActivityStatusCode.Error, deployment.Failure?.Message ?? deployment.Message);
        }

        whole.SetEndTime(end.UtcDateTime);
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private IEnumerable<KeyValuePair<string, object?>> TagsOf(DeploymentStatus deployment) =>
    [
        new("wunderproxy.application", application),
        new("wunderproxy.deployment.id", deployment.Id),
        new("wunderproxy.deployment.end", deployment.End?.ToString()),
        new("wunderproxy.revision", deployment.Revision),
        new("wunderproxy.release", deployment.Hash),
    ];
}
