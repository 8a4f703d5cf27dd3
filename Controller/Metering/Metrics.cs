using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Metering;

/// <summary>All metrics of the application on this host, as they are when somebody asks.</summary>
/// <param name="application">Name of the application.</param>
/// <param name="status">The latest status.</param>
/// <param name="proxy">The Proxy.</param>
/// <param name="traffic">What the Proxy remembers.</param>
/// <param name="reconciler">What the reconciler has done.</param>
/// <param name="deployments">How deployments went.</param>
internal sealed class Metrics(string application, Func<StatusDocument> status, IProxyControl proxy, IProxyTraffic traffic, ReconcilerCounts reconciler, DeploymentCounts deployments)
{
    /// <summary>Asks the Proxy and puts all together.</summary>
    public async Task<IReadOnlyList<MetricFamily>> ReportAsync(CancellationToken cancellationToken)
    {
        var (state, totals) = await AskAsync(cancellationToken);
        return
        [
            .. HostMetrics.Of(status()),
            .. HostMetrics.Of(state),
            .. totals is null ? [] : TrafficMetrics.Of(totals, state?.Applications.FirstOrDefault(served => served.Application == application)),
            .. deployments.ToMetrics(),
            .. reconciler.ToMetrics(),
        ];
    }

    private async Task<(ProxyStatus? Status, TrafficTotals? Totals)> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await proxy.GetStatusAsync(cancellationToken), await traffic.GetTotalsAsync(application, cancellationToken));
        }
        catch (ProxyException)
        {
            return (null, null);
        }
    }
}
