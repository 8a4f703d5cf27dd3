using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Stops a container, after the Proxy has acknowledged a newer fence.</summary>
internal static class Stops
{
    /// <summary>The step that stops it; absent where that has to wait.</summary>
    /// <param name="mustBeIdle">Whether the Proxy is to refuse where a request has come to it meanwhile.</param>
    public static Step? Step(Situation s, string row, ContainerFact container, string reason, bool mustBeIdle)
    {
        if (!s.ProxyIsKnown)
        {
            s.Note($"{reason}; it is stopped once the Proxy has acknowledged it");
            return null;
        }

        // A Proxy that loses its disk forgets the fence that would keep this out.
        if (s.Seen.Working.Any(e => IsSentTo(e, container)))
        {
            s.Note($"{reason}; it is stopped once the Proxy has answered that it is to send requests there");
            return null;
        }

        var fence = s.Journal.Fence + 1;
        var grace = s.Seen.Configurations.GetValueOrDefault(container.Ref.Hash)?.ValueOrDefault?.Stop.Timeout ?? new StopSpec().Timeout;
        return s.Try(row, reason, new Effect.Stop(container.Ref, container.Id, grace, fence) { MustBeIdle = mustBeIdle }, s.Journal with { Fence = fence, Stopping = Noted(s, container) });
    }

    private static bool IsSentTo(Effect working, ContainerFact container) => working switch
    {
        Effect.Route { Snapshot: var snapshot } => snapshot.Target?.ContainerId == container.Id || snapshot.Standby?.Target.ContainerId == container.Id,
        Effect.Show { Snapshot.Standby: { } standby } => standby.Target.ContainerId == container.Id,
        _ => false,
    };

    private static ValueList<StoppingRun> Noted(Situation s, ContainerFact container)
    {
        var run = new StoppingRun(container.Id, container.StartedAt);
        return [.. s.Journal.Stopping.Where(other => other != run && s.Containers.Any(c => c.IsRunning && IsRun(c, other))), run];
    }

    /// <summary>Whether a container is in this run.</summary>
    public static bool IsRun(ContainerFact container, StoppingRun run) => container.Id == run.ContainerId && container.StartedAt == run.StartedAt;
}
