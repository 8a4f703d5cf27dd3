using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Metering;

/// <summary>What the Proxy as a whole and the Controller are and do.</summary>
internal static class HostMetrics
{
    /// <summary>The Proxy; its connections are those of all applications that share it.</summary>
    /// <param name="proxy">What it says; absent: it wasn't reached.</param>
    public static IEnumerable<MetricFamily> Of(ProxyStatus? proxy)
    {
        yield return MetricFamily.Of("wunderproxy_proxy_up", MetricKind.Gauge, "Whether the Proxy was reached.", proxy is null ? 0 : 1);
        if (proxy is null)
        {
            yield break;
        }

        yield return MetricFamily.Of("wunderproxy_proxy_start_time_seconds", MetricKind.Gauge, "When the Proxy started; its counters began at zero then.", proxy.StartedAt.ToUnixTimeMilliseconds() / 1000.0);
        yield return MetricFamily.Of("wunderproxy_proxy_heap_bytes", MetricKind.Gauge, "Managed heap of the Proxy.", proxy.HeapSizeBytes);
        yield return ByLabel("wunderproxy_client_connections", MetricKind.Gauge, "Connections of clients by what they are doing.", "state", proxy.Connections);
        yield return ByLabel("wunderproxy_client_connections_refused_total", MetricKind.Counter, "Connections that were closed as soon as they came.", "reason", proxy.RefusedConnections);
        yield return ByLabel(
            "wunderproxy_buffer_bytes", MetricKind.Gauge, "What is kept for slow clients.", "place", new Dictionary<string, long> { ["memory"] = proxy.Buffers.MemoryBytes, ["disk"] = proxy.Buffers.DiskBytes });
        if (proxy.AccessLogDropped is { } dropped)
        {
            yield return MetricFamily.Of("wunderproxy_access_log_dropped_lines_total", MetricKind.Counter, "Lines that the access log has dropped.", dropped);
        }
    }

    /// <summary>The application and its releases on this host, as the status has them.</summary>
    public static IEnumerable<MetricFamily> Of(StatusDocument status)
    {
        yield return new MetricFamily(
            "wunderproxy_build_info", MetricKind.Gauge, "Which Controller this is.", [new MetricSample([("application", status.Application), ("installation", status.Installation), ("version", status.Version)], 1)]);
        yield return MetricFamily.Of("wunderproxy_controller_heap_bytes", MetricKind.Gauge, "Managed heap of the Controller.", status.HeapSize);
        yield return MetricFamily.Of("wunderproxy_maintenance", MetricKind.Gauge, "Whether maintenance is up.", status.MaintenanceMode ? 1 : 0);
        yield return MetricFamily.Of("wunderproxy_paused", MetricKind.Gauge, "Whether traffic is paused.", status.Paused ? 1 : 0);
        yield return MetricFamily.Of("wunderproxy_deployments_in_progress", MetricKind.Gauge, "Deployments that have not ended.", status.Deployments.Count(deployment => deployment.End is null));
        yield return MetricFamily.Of("wunderproxy_reconcile_effects_in_progress", MetricKind.Gauge, "Effects that are under way.", status.Plan.Working.Count);
        yield return new MetricFamily(
            "wunderproxy_release_phase",
            MetricKind.Gauge,
            "The phase that each release is in.",
            [.. status.Releases.Select(release => new MetricSample([("revision", release.Revision), ("release", TrafficMetrics.Short(release.Hash)), ("phase", release.Phase.ToString())], 1))]);
        yield return new MetricFamily(
            "wunderproxy_condition",
            MetricKind.Gauge,
            "What is well (true), what is not (false), and of what it isn't known: state file (StateDurable), store (StoreReachable), engine (DockerReachable) and so on.",
            [
                .. status.Conditions.SelectMany(condition => ((string Name, bool? Status)[])[("true", true), ("false", false), ("unknown", null)], (condition, possible) =>
                    new MetricSample([("type", condition.Type), ("status", possible.Name)], condition.Status == possible.Status ? 1 : 0)),
            ]);
    }

    private static MetricFamily ByLabel(string name, MetricKind kind, string help, string label, IReadOnlyDictionary<string, long> values) =>
        new(name, kind, help, [.. values.Select(value => new MetricSample([(label, value.Key)], value.Value))]);
}
