using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Makes the snapshot that the Proxy is to serve by.</summary>
internal static class Snapshots
{
    /// <summary>The snapshot with a container as target, and without a release that stands by; absent where its address or configuration isn't known.</summary>
    /// <param name="s">The situation.</param>
    /// <param name="journal">The journal that will be written before the snapshot is sent: its generation is the snapshot's.</param>
    /// <param name="container">The target.</param>
    /// <param name="fence">Permission to move traffic.</param>
    public static ApplicationSnapshot? Of(Situation s, Journal journal, ContainerFact container, long fence) =>
        container is { Address: not null, StartedAt: not null } && s.ConfigurationOf(container.Ref.Hash) is { } configuration
            ? Of(s, journal, configuration.Routing, TargetOf(container, configuration), fence, null)
            : null;

    /// <summary>The snapshot that leaves the Proxy's target as it is.</summary>
    /// <param name="s">The situation.</param>
    /// <param name="journal">As for <see cref="Of(Situation, Journal, ContainerFact, long)"/>.</param>
    /// <param name="standby">The release that stands by; absent: none.</param>
    /// <param name="fence">Permission to let another release stand by; never to move the target, be it that it has moved meanwhile.</param>
    public static ApplicationSnapshot WithTargetAsItIs(Situation s, Journal journal, Standby? standby, long fence)
    {
        var routing = s.Proxy is { Target: not null } proxy ? proxy.Routing : standby is null ? null : s.ConfigurationOf(standby.Target.Release)?.Routing;
        return Of(s, journal, routing ?? s.Proxy?.Routing ?? new Routing(), s.Proxy?.Target, fence, standby);
    }

    /// <summary>A container as the Proxy gets to know it.</summary>
    /// <param name="container">It, with an address and a start.</param>
    /// <param name="configuration">What it runs.</param>
    public static Target TargetOf(ContainerFact container, LaunchConfiguration configuration) => new()
    {
        Release = container.Ref.Hash,
        Revision = configuration.Revision,
        ContainerId = container.Id,
        StartedAt = container.StartedAt!.Value,
        Address = container.Address!,
        Protocol = configuration.Protocol,
        Probe = configuration.ToProbe(),
    };

    private static ApplicationSnapshot Of(Situation s, Journal journal, Routing routing, Target? target, long fence, Standby? standby)
    {
        var drain = DrainOfReplaced(s) ?? new DrainSpec();
        var configuration = (target ?? standby?.Target) is { } served ? s.ConfigurationOf(served.Release) : null;
        return new ApplicationSnapshot
        {
            Application = s.Settings.Application,
            Installation = s.Settings.Installation,
            Generation = journal.SnapshotGeneration,
            Fence = fence,
            Routing = routing,
            Target = target,
            Standby = standby,
            DrainTimeout = drain.Timeout,
            StreamDrainTimeout = drain.StreamTimeout,
            Maintenance = journal.Maintenance ? s.Seen.MaintenancePage ?? new MaintenancePage() : null,
            IsPaused = journal.IsPaused,
            Tls = configuration?.Tls,
            HoldTimeout = (configuration?.Hold ?? new HoldSpec()).Timeout,
            Limits = configuration?.Limits ?? new Limits(),
            ErrorPages = configuration?.ErrorPages ?? new ErrorPages(),
            Buffering = configuration?.Buffering ?? new Buffering(),
            Compression = configuration?.Compression,
            SlowAfter = configuration?.Probation.MaxLatency,
            HealthInMaintenance = (configuration?.HealthCheck ?? new HealthCheckSpec()).InMaintenance,
        };
    }

    private static DrainSpec? DrainOfReplaced(Situation s) =>
        s.Proxy?.Target is { } replaced ? s.Seen.Configurations.GetValueOrDefault(replaced.Release)?.ValueOrDefault?.Drain : null;
}
