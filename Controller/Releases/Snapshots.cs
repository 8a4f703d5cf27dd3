using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Makes the snapshot that the Proxy is to serve by.</summary>
internal static class Snapshots
{
    /// <summary>The snapshot with a container as target; absent where its address or configuration isn't known.</summary>
    /// <param name="s">The situation.</param>
    /// <param name="journal">The journal that will be written before the snapshot is sent: its generation is the snapshot's.</param>
    /// <param name="container">The target.</param>
    /// <param name="fence">Permission to move traffic.</param>
    public static ApplicationSnapshot? Of(Situation s, Journal journal, ContainerFact container, long fence) =>
        container is { Address: { } address, StartedAt: { } start } && s.ConfigurationOf(container.Ref.Hash) is { } configuration
            ? Of(s, journal, configuration.Routing, TargetOf(container, address, start, configuration), fence)
            : null;

    /// <summary>The snapshot that leaves the Proxy's target as it is.</summary>
    public static ApplicationSnapshot WithTargetAsItIs(Situation s, Journal journal) => Of(s, journal, s.Proxy?.Routing ?? new Routing(), s.Proxy?.Target, journal.Fence);

    private static ApplicationSnapshot Of(Situation s, Journal journal, Routing routing, Target? target, long fence)
    {
        var drain = DrainOfReplaced(s) ?? new DrainSpec();
        var configuration = target is null ? null : s.ConfigurationOf(target.Release);
        return new ApplicationSnapshot
        {
            Application = s.Settings.Application,
            Installation = s.Settings.Installation,
            Generation = journal.SnapshotGeneration,
            Fence = fence,
            Routing = routing,
            Target = target,
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

    private static Target TargetOf(ContainerFact container, string address, DateTimeOffset start, LaunchConfiguration configuration) => new()
    {
        Release = container.Ref.Hash,
        Revision = configuration.Revision,
        ContainerId = container.Id,
        StartedAt = start,
        Address = address,
        Protocol = configuration.Protocol,
        Probe = configuration.ToProbe(),
    };
}
