using System.Net.Sockets;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Exporting;
using Wunderproxy.Controller.Metering;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Metering;

namespace Wunderproxy.IntegrationTests.Exporting;

public sealed class OtlpExportTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Begin = new(2026, 11, 27, 7, 0, 0, TimeSpan.Zero);

    private readonly DurationHistogram _durations = new([0.1, 1]);
    private OtlpReceiver _receiver = null!;
    private double _requests = 5;

    public async ValueTask InitializeAsync() => _receiver = await OtlpReceiver.StartAsync();

    public ValueTask DisposeAsync() => _receiver.DisposeAsync();

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public async Task Deployment_is_one_trace_with_a_span_for_each_phase_at_its_true_times(string protocol)
    {
        using (var export = Export(protocol))
        {
            export.Trace(DeploymentCountsTests.Deployment("d1", 10, (ReleasePhase.Accepted, 0), (ReleasePhase.Pulling, 1.5), (ReleasePhase.Verifying, 4), (ReleasePhase.Active, 10.1)));
        }

        await Eventually.HoldsAsync("the trace is there", () => _receiver.Spans.Count() == 4);
        var whole = _receiver.Spans.Single(span => span.Bytes(4).IsEmpty);
        Assert.Equal(("Launch", 0, 10), Times(whole));
        var phases = _receiver.Spans.Where(span => span != whole && !span.Bytes(4).IsEmpty).ToList();
        Assert.Equal([("Accepted", 0, 1.5), ("Pulling", 1.5, 4), ("Verifying", 4, 10)], phases.Select(Times));
        Assert.All(phases, phase => Assert.Equal((Hex(whole, 1), Hex(whole, 2)), (Hex(phase, 1), Hex(phase, 4))));
        var attributes = whole.Attributes(9);
        Assert.Equal(("d1", "Succeeded", "2f1c9e0", FakeOperations.Hash, "shop"),
            (attributes["wunderproxy.deployment.id"], attributes["wunderproxy.deployment.end"], attributes["wunderproxy.revision"], attributes["wunderproxy.release"], attributes["wunderproxy.application"]));
        var resource = _receiver.Bodies("race").First().All(1, 1).Single().Attributes(1);
        Assert.Equal(("wunderproxy", "0.1.0", "i1"), (resource["service.name"], resource["service.version"], resource["service.instance.id"]));
    }

    [Fact]
    public async Task Rollback_of_a_deployment_that_had_succeeded_is_one_more_span_of_its_trace()
    {
        using (var export = Export("http"))
        {
            export.Trace(DeploymentCountsTests.Deployment("d1", 10));
            export.Trace(DeploymentCountsTests.Deployment("d1", 40) with { End = DeploymentEnd.RolledBack, Message = "It failed on probation." });
        }

        await Eventually.HoldsAsync("both are there", () => _receiver.Spans.Count() == 2);
        var whole = _receiver.Spans.Single(span => span.Bytes(4).IsEmpty);
        var back = _receiver.Spans.Single(span => !span.Bytes(4).IsEmpty);
        Assert.Equal((("Launch", 0, 10), ("RolledBack", 10, 40)), (Times(whole), Times(back)));
        Assert.Equal((Hex(whole, 1), Hex(whole, 2)), (Hex(back, 1), Hex(back, 4)));
        Assert.Equal((2UL, "It failed on probation."), (back.All(15).Single().Number(3), back.All(15).Single().Text(2)));
    }

    [Fact]
    public async Task Failed_deployment_is_a_trace_with_an_error_that_says_why_and_each_deployment_has_its_own_trace()
    {
        using (var export = Export("http"))
        {
            export.Trace(DeploymentCountsTests.Deployment("d1", 10));
            export.Trace(DeploymentCountsTests.Deployment("d2", 11) with
            {
                End = DeploymentEnd.Failed,
                Failure = new FailureEvidence { Class = FailureClass.Exited, Message = "It exited with code 1.", At = Begin, Log = ["secret"] },
            });
        }

        await Eventually.HoldsAsync("the traces are there", () => _receiver.Spans.Count() == 2);
        Assert.Equal([0UL, 2UL], _receiver.Spans.Select(span => span.All(15).SingleOrDefault()?.Number(3) ?? 0));
        Assert.Equal("It exited with code 1.", _receiver.Spans.Last().All(15).Single().Text(2));
        Assert.Equal(2, _receiver.Spans.Select(span => Hex(span, 1)).Distinct().Count());
    }

    [Theory]
    [InlineData("http")]
    [InlineData("grpc")]
    public async Task Metrics_are_sent_with_their_labels_units_and_histograms(string protocol)
    {
        _durations.Record(TimeSpan.FromSeconds(100));
        using var stop = new CancellationTokenSource();
        using var export = Export(protocol);
        var running = export.RunAsync(stop.Token);
        await Eventually.HoldsAsync("they were sent once", () => _receiver.LatestMetrics.Count > 0);
        _requests = 12;
        foreach (var seconds in (double[])[0.05, 0.06, 0.5, 7])
        {
            _durations.Record(TimeSpan.FromSeconds(seconds));
        }

        await Eventually.HoldsAsync("what came since was sent", () => _receiver.LatestMetrics.Any(metric => metric.All(9, 1).Any(point => point.Number(4) == 4)));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        var latest = _receiver.LatestMetrics.ToDictionary(metric => metric.Text(1));
        var requests = latest["wunderproxy_requests"].All(7).Single();
        Assert.Equal((2UL, 1UL), (requests.Number(2), requests.Number(3)));
        var point = requests.All(1).Single();
        Assert.Equal((12.0, "2xx"), (point.Double(4), point.Attributes(7)["code_class"]));
        Assert.Equal("By", latest["wunderproxy_proxy_heap_bytes"].Text(3));
        Assert.Equal(77.0, latest["wunderproxy_proxy_heap_bytes"].All(5, 1).Single().Double(4));
        var durations = latest["wunderproxy_request_duration_seconds"];
        Assert.Equal("s", durations.Text(3));
        var histogram = durations.All(9, 1).Single();
        Assert.Equal([2UL, 1UL, 1UL], histogram.Packed(6));
        Assert.Equal([0.1, 1.0], histogram.Packed(7).Select(BitConverter.UInt64BitsToDouble));
        Assert.Equal(7.61, histogram.Double(5), 6);
        Assert.Equal("c1", histogram.Attributes(9)["revision"]);
    }

    [Fact]
    public async Task Receiver_that_is_away_ends_nothing()
    {
        using var closed = new TcpListener(System.Net.IPAddress.Loopback, 0);
        closed.Start();
        var address = new Uri($"http://{closed.LocalEndpoint}");
        closed.Stop();
        var reports = 0;
        using var stop = new CancellationTokenSource();
        using var export = new OtlpExport(new OtlpOptions(address, OtlpProtocol.Http, TimeSpan.FromMilliseconds(50)), new FakeOperations().Status, Report, TimeProvider.System);
        var running = export.RunAsync(stop.Token);
        export.Trace(DeploymentCountsTests.Deployment("d1", 10));

        await Eventually.HoldsAsync("it goes on", () => Volatile.Read(ref reports) > 3);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Task<IReadOnlyList<MetricFamily>> Report(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref reports);
            return ReportAsync(cancellationToken);
        }
    }

    private OtlpExport Export(string protocol) => new(
        protocol == "http" ? new OtlpOptions(_receiver.Http, OtlpProtocol.Http, TimeSpan.FromMilliseconds(100)) : new OtlpOptions(_receiver.Grpc, OtlpProtocol.Grpc, TimeSpan.FromMilliseconds(100)),
        new FakeOperations().Status,
        ReportAsync,
        TimeProvider.System);

    private Task<IReadOnlyList<MetricFamily>> ReportAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<MetricFamily>>(
    [
        new MetricFamily("wunderproxy_requests_total", MetricKind.Counter, "Requests.", [new MetricSample([("revision", "c1"), ("code_class", "2xx")], _requests)]),
        MetricFamily.Of("wunderproxy_proxy_heap_bytes", MetricKind.Gauge, "Heap.", 77),
        new MetricFamily("wunderproxy_request_duration_seconds", MetricKind.Histogram, "Durations.", [_durations.ToSample(("revision", "c1"))]),
    ]);

    private static (string Name, double Begin, double End) Times(ProtoMessage span) => (span.Text(5), Seconds(span.Number(7)), Seconds(span.Number(8)));

    private static double Seconds(ulong nanoseconds) => (DateTimeOffset.UnixEpoch.AddTicks((long)(nanoseconds / 100)) - Begin).TotalSeconds;

    private static string Hex(ProtoMessage message, int field) => Convert.ToHexStringLower(message.Bytes(field).Span);
}
