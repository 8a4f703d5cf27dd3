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

    private const int MostRemembered = 64;

    private readonly ActivitySource _source = new(SourceName);
    private readonly Dictionary<string, (ActivityContext Context, DateTimeOffset End)> _traced = new(StringComparer.Ordinal);

    /// <summary>Traces a deployment that has ended. That one which had succeeded was rolled back is one more span of its trace.</summary>
    public void Trace(DeploymentStatus deployment)
    {
        // A trace of its own, whatever is going on here.
        Activity.Current = null;
        if (_traced.TryGetValue(deployment.Id, out var traced))
        {
            using var more = _source.StartActivity(deployment.End.ToString()!, ActivityKind.Internal, traced.Context, tags: null, links: null, traced.End);
            End(more, deployment);
            return;
        }

        using var whole = _source.StartActivity(deployment.Kind.ToString(), ActivityKind.Internal, default(ActivityContext), TagsOf(deployment), links: null, deployment.AcceptedAt);
        if (whole is null)
        {
            return;
        }

        foreach (var span in PhaseSpan.Of(deployment))
        {
            using var phase = _source.StartActivity(span.Phase.ToString(), ActivityKind.Internal, whole.Context, tags: null, links: null, span.Begin);
            phase?.SetEndTime(span.End.UtcDateTime);
        }

        End(whole, deployment);
        Remember(deployment, whole.Context);
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private static void End(Activity? span, DeploymentStatus deployment)
    {
        if (deployment.End is DeploymentEnd.Failed or DeploymentEnd.RolledBack)
        {
            span?.SetStatus(ActivityStatusCode.Error, deployment.Failure?.Message ?? deployment.Message);
        }

        span?.SetEndTime((deployment.EndedAt ?? deployment.AcceptedAt).UtcDateTime);
    }

    private void Remember(DeploymentStatus deployment, ActivityContext context)
    {
        if (_traced.Count == MostRemembered)
        {
            _traced.Clear();
        }

        _traced[deployment.Id] = (context, deployment.EndedAt ?? deployment.AcceptedAt);
    }

    private IEnumerable<KeyValuePair<string, object?>> TagsOf(DeploymentStatus deployment) =>
    [
        new("wunderproxy.application", application),
        new("wunderproxy.deployment.id", deployment.Id),
        new("wunderproxy.deployment.end", deployment.End?.ToString()),
        new("wunderproxy.revision", deployment.Revision),
        new("wunderproxy.release", deployment.Hash),
    ];
}
