using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Metering;

/// <summary>A phase that a deployment went through.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Begin">When it was entered.</param>
/// <param name="End">When the next one was entered, or the deployment ended.</param>
internal sealed record PhaseSpan(ReleasePhase Phase, DateTimeOffset Begin, DateTimeOffset End)
{
    /// <summary>The phases of a deployment that has ended. The one that it ended in began with the end, and isn't among them.</summary>
    public static IEnumerable<PhaseSpan> Of(DeploymentStatus deployment)
    {
        var end = deployment.EndedAt ?? DateTimeOffset.MaxValue;
        for (var i = 0; i < deployment.Phases.Count && deployment.Phases[i].At < end; i++)
        {
            var next = i + 1 < deployment.Phases.Count ? deployment.Phases[i + 1].At : end;
            yield return new PhaseSpan(deployment.Phases[i].Phase, deployment.Phases[i].At, next < end ? next : end);
        }
    }
}
