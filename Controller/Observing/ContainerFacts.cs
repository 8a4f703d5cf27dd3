using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.Controller.Observing;

/// <summary>Translates what the engine says about a container into what the plan looks at.</summary>
internal static class ContainerFacts
{
    /// <param name="container">The container.</param>
    /// <param name="identity">What its labels say.</param>
    /// <param name="watchedSince">Since when the engine's events are seen; an exit before that is not the container's own doing.</param>
    /// <param name="verdictOf">What the probes of a run said.</param>
    public static ContainerFact Of(EngineContainer container, ContainerIdentity identity, DateTimeOffset watchedSince, Func<ProbeSubject, Verdict> verdictOf) => new()
    {
        Ref = new ContainerRef(identity.Hash, identity.Incarnation, container.Name),
        Id = container.Id,
        State = StateOf(container.Status),
        StartedAt = container.StartedAt,
        FinishedAt = container.FinishedAt,
        ExitCode = container.ExitCode,
        OomKilled = container.OomKilled,
        HasMemoryLimit = container.HasMemoryLimit,
        ImageId = container.ImageId,
        Address = AddressOf(container, identity),
        ExitedByItself = container.Status == ContainerStatus.Exited && container.FinishedAt >= watchedSince,
        Verdict = container.StartedAt is { } start ? verdictOf(new ProbeSubject(container.Id, start)) : Verdict.Unverified,
    };

    /// <summary>Where a running container receives requests; absent where it doesn't run, or has no address yet.</summary>
    public static string? AddressOf(EngineContainer container, ContainerIdentity identity) => container.Status != ContainerStatus.Running
        ? null
        : identity.Address switch
        {
            AddressMode.Bridge bridge => container.Addresses.TryGetValue(bridge.Network, out var address) && address.Length > 0 ? $"{address}:{identity.Port}" : null,
            AddressMode.Published => container.PublishedPorts.TryGetValue($"{identity.Port}/tcp", out var port) ? $"127.0.0.1:{port}" : null,
            _ => $"127.0.0.1:{identity.Port}",
        };

    private static ContainerState StateOf(ContainerStatus status) => status switch
    {
        ContainerStatus.Created => ContainerState.Created,
        ContainerStatus.Running => ContainerState.Running,
        ContainerStatus.Paused => ContainerState.Paused,
        ContainerStatus.Restarting or ContainerStatus.Exited => ContainerState.Exited,
        ContainerStatus.Removing or ContainerStatus.Dead => ContainerState.Leaving,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "Not a state of a container."),
    };
}
