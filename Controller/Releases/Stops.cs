using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Stops a container, after the Proxy has acknowledged a newer fence.</summary>
internal static class Stops
{
    public static Step? Step(Situation s, string row, ContainerFact container, string reason)
    {
        if (!s.ProxyIsKnown)
        {
            s.Note($"{reason}; it is stopped once the Proxy has acknowledged it");
            return null;
        }

        var fence = s.Journal.Fence + 1;
        var grace = s.Seen.Configurations.GetValueOrDefault(container.Ref.Hash)?.ValueOrDefault?.Stop.Timeout ?? new StopSpec().Timeout;
        return s.Try(row, reason, new Effect.Stop(container.Ref, container.Id, grace, fence), s.Journal with { Fence = fence, Stopping = Noted(s, container) });
    }

    private static ValueList<StoppingRun> Noted(Situation s, ContainerFact container)
    {
        var run = new StoppingRun(container.Id, container.StartedAt);
        return [.. s.Journal.Stopping.Where(other => other != run && s.Containers.Any(c => c.IsRunning && IsRun(c, other))), run];
    }

    /// <summary>Whether a container is in this run.</summary>
    public static bool IsRun(ContainerFact container, StoppingRun run) => container.Id == run.ContainerId && container.StartedAt == run.StartedAt;
}
