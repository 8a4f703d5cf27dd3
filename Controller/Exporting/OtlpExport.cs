using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Metering;

namespace Wunderproxy.Controller.Exporting;

/// <summary>Sends traces of deployments and metrics by OTLP, the protocol of OpenTelemetry.</summary>
/// <remarks>
/// What the standard variables say beyond address and protocol is heard: <c>OTEL_EXPORTER_OTLP_HEADERS</c> and its kind, <c>OTEL_SERVICE_NAME</c>, <c>OTEL_RESOURCE_ATTRIBUTES</c>, <c>OTEL_TRACES_SAMPLER</c>, <c>OTEL_SDK_DISABLED</c>.
/// A receiver that is away delays nothing: what can't be sent is dropped.
/// </remarks>
internal sealed class OtlpExport : IDisposable
{
    private const int LimitMs = 5_000;

    private readonly DeploymentTraces _traces;
    private readonly Instruments _instruments = new();
    private readonly TracerProvider _tracing;
    private readonly MeterProvider _metering;
    private readonly BaseExportingMetricReader _reader;
    private readonly Func<CancellationToken, Task<IReadOnlyList<MetricFamily>>> _metrics;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;

    /// <param name="options">Where to.</param>
    /// <param name="status">Who sends.</param>
    /// <param name="metrics">Gets the metrics as they are now.</param>
    /// <param name="time">The clock.</param>
    public OtlpExport(OtlpOptions options, StatusDocument status, Func<CancellationToken, Task<IReadOnlyList<MetricFamily>>> metrics, TimeProvider time)
    {
        (_metrics, _interval, _time) = (metrics, options.Interval, time);
        _traces = new DeploymentTraces(status.Application);
        _reader = new BaseExportingMetricReader(new OtlpMetricExporter(ExporterOptions(options, "v1/metrics"))) { TemporalityPreference = MetricReaderTemporalityPreference.Cumulative };
        var resource = ResourceBuilder.CreateEmpty()
            .AddService("wunderproxy", serviceVersion: status.Version, autoGenerateServiceInstanceId: false, serviceInstanceId: status.Installation)
            .AddAttributes([new("wunderproxy.application", status.Application)]).AddTelemetrySdk().AddEnvironmentVariableDetector();
        _tracing = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(DeploymentTraces.SourceName)
            .AddProcessor(new BatchActivityExportProcessor(new OtlpTraceExporter(ExporterOptions(options, "v1/traces")))).Build();
        _metering = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Instruments.MeterName).AddReader(_reader).Build();
    }

    /// <summary>Sends a trace of a deployment that has ended, within a few seconds.</summary>
    public void Trace(DeploymentStatus deployment) => _traces.Trace(deployment);

    /// <summary>Sends the metrics at each interval.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            _instruments.Take(await _metrics(cancellationToken));
            _reader.Collect(LimitMs);
            await Task.Delay(_interval, _time, cancellationToken);
        }
    }

    /// <summary>Sends what is left, and the metrics once more as they were known last, for 5 s at most of each.</summary>
    public void Dispose()
    {
        _tracing.Dispose();
        _metering.Dispose();
        _traces.Dispose();
        _instruments.Dispose();
    }

    private static OtlpExporterOptions ExporterOptions(OtlpOptions options, string path) => new()
    {
        Protocol = options.Protocol == OtlpProtocol.Grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
        Endpoint = options.Protocol == OtlpProtocol.Grpc ? options.Endpoint : new Uri($"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{path}"),
        TimeoutMilliseconds = LimitMs,
    };
}
