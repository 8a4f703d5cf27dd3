using Microsoft.AspNetCore.Routing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Exporting;
using Wunderproxy.Controller.Metering;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Remembering;

namespace Wunderproxy.Controller.Cli;

/// <summary>What <c>run</c> measures and remembers, put together.</summary>
internal sealed class Measuring : IDisposable
{
    private readonly TrafficKeeper _traffic;
    private readonly Metrics _metrics;
    private readonly DeploymentWatch _ended;
    private readonly OtlpOptions? _otlp;
    private readonly Func<StatusDocument> _status;
    private readonly TimeProvider _time;
    private OtlpExport? _export;

    /// <param name="settings">Everything that <c>run</c> was told.</param>
    /// <param name="proxy">The Proxy.</param>
    /// <param name="status">The latest status.</param>
    /// <param name="loggers">The log.</param>
    /// <param name="time">The clock.</param>
    public Measuring(RunSettings settings, ProxyControlClient proxy, Func<StatusDocument> status, ILoggerFactory loggers, TimeProvider time)
    {
        (_otlp, _status, _time) = (settings.Otlp, status, time);
        _traffic = new TrafficKeeper(
            settings.Application, proxy, Path.Combine(settings.StateDirectory, "traffic"), PosixFileSystem.Instance, time, loggers.CreateLogger<TrafficKeeper>());
        var deployments = new DeploymentCounts();
        _metrics = new Metrics(settings.Application, status, proxy, proxy, Counts, deployments);
        _ended = new DeploymentWatch(() => status().Deployments, Ended, time);

        void Ended(DeploymentStatus deployment)
        {
            deployments.Ended(deployment);
            _export?.Trace(deployment);
        }
    }

    /// <summary>Counts what the reconciler does.</summary>
    public ReconcilerCounts Counts { get; } = new();

    /// <summary>What runs as long as the reconciler does.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> Companions => [_traffic.RunAsync, _ended.RunAsync, .. _otlp is { } otlp ? [token => ExportAsync(otlp, token)] : Array.Empty<Func<CancellationToken, Task>>()];

    /// <summary>Adds the calls to the admin API.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        new TrafficCalls(_traffic).Map(routes);
        new MetricsCalls(_metrics.ReportAsync).Map(routes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _export?.Dispose();
        _traffic.Dispose();
    }

    // Not before the reconciler has begun: the packages take a tenth of a second to load.
    private async Task ExportAsync(OtlpOptions otlp, CancellationToken cancellationToken)
    {
        await Task.Yield();
        _export = new OtlpExport(otlp, _status(), _metrics.ReportAsync, _time);
        await _export.RunAsync(cancellationToken);
    }
}
