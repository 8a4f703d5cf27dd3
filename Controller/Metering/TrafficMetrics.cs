using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Metering;

/// <summary>What the Proxy has counted of the application, by release and class of status. A release goes when the Proxy lists none of its targets any more, so there are 17 at most.</summary>
internal static class TrafficMetrics
{
    private const int ShownHashDigits = 8;

    /// <summary>The metrics.</summary>
    /// <param name="totals">What the Proxy has counted.</param>
    /// <param name="application">How it serves the application; absent: not known.</param>
    public static IEnumerable<MetricFamily> Of(TrafficTotals totals, ApplicationState? application)
    {
        yield return Counter(totals, "wunderproxy_requests_total", "Requests that have ended.", counted => counted.Requests);
        yield return Durations(totals);
        yield return Counter(totals, "wunderproxy_request_body_bytes_total", "Bytes of the bodies of requests.", counted => counted.BytesIn);
        yield return Counter(totals, "wunderproxy_response_body_bytes_total", "Bytes of the bodies of answers.", counted => counted.BytesOut);
        yield return InFlight(totals, "wunderproxy_requests_in_flight", "Plain requests that run on a target.", release => release.InFlight);
        yield return InFlight(totals, "wunderproxy_streams_in_flight", "Streams and upgraded connections that run on a target.", release => release.Streams);
        if (application is null)
        {
            yield break;
        }

        yield return MetricFamily.Of("wunderproxy_requests_waiting", MetricKind.Gauge, "Requests that wait until the target can be reached again, or a pause is over.", application.Waiting);
        yield return MetricFamily.Of("wunderproxy_requests_queued", MetricKind.Gauge, "Requests that wait until others have ended.", application.Queued);
        foreach (var family in Standing(application).Concat(Drain([.. application.Targets.Where(target => target.Drain is not null)])))
        {
            yield return family;
        }
    }

    /// <summary>The first digits of a hash, which tell releases of one application apart.</summary>
    public static string Short(string hash) => hash[..Math.Min(hash.Length, ShownHashDigits)];

    private static MetricFamily Counter(TrafficTotals totals, string name, string help, Func<ClassTotals, double> value) => new(
        name, MetricKind.Counter, help, [.. totals.Releases.SelectMany(release => release.ByClass.Select(counted => new MetricSample(LabelsOf(release, counted.Key), value(counted.Value))))]);

    private static MetricFamily Durations(TrafficTotals totals) => new(
        "wunderproxy_request_duration_seconds",
        MetricKind.Histogram,
        "From the first byte of a request to the last one of its answer; streams are not counted.",
        [
            .. totals.Releases.SelectMany(release => release.ByClass.Select(counted => new MetricSample(
                LabelsOf(release, counted.Key), counted.Value.Seconds, [.. totals.BoundsSeconds.Append(double.PositiveInfinity).Zip(counted.Value.Durations)]))),
        ]);

    private static MetricFamily InFlight(TrafficTotals totals, string name, string help, Func<ReleaseTotals, double> value) =>
        new(name, MetricKind.Gauge, help, [.. totals.Releases.Where(release => release.Release is not null).Select(release => new MetricSample(LabelsOf(release), value(release)))]);

    private static IEnumerable<MetricFamily> Standing(ApplicationState application)
    {
        yield return new MetricFamily(
            "wunderproxy_standby_share_ratio",
            MetricKind.Gauge,
            "Part of the clients that the release gets which stands by.",
            application.Standby is { } standby ? [new MetricSample(LabelsOf(standby.Target.Release, standby.Target.Revision), standby.Percent / 100.0)] : []);
        yield return new MetricFamily(
            "wunderproxy_standby_requests_total",
            MetricKind.Counter,
            "Requests that releases got before the switch, of previews (preview) and of their share of clients (canary), and those that went back to the active one (sent_back).",
            [
                .. application.Targets.Where(target => target.Standby is not null).GroupBy(target => target.Target.Release, StringComparer.Ordinal).SelectMany(targets => new (string Name, Func<StandbyTraffic, long> Of)[]
                {
                    ("preview", traffic => traffic.Previews), ("canary", traffic => traffic.Canary), ("sent_back", traffic => traffic.SentBack),
                }.Select(kind => new MetricSample([.. LabelsOf(targets.Key, targets.First().Target.Revision), ("kind", kind.Name)], targets.Sum(target => kind.Of(target.Standby!))))),
            ]);
    }

    private static IEnumerable<MetricFamily> Drain(IReadOnlyList<TargetTraffic> draining)
    {
        yield return MetricFamily.Of("wunderproxy_draining_targets", MetricKind.Gauge, "Replaced targets on which something still runs.", draining.Count);
        yield return new MetricFamily(
            "wunderproxy_draining_requests",
            MetricKind.Gauge,
            "What still runs on replaced targets, by kind.",
            [
                .. draining.GroupBy(target => target.Target.Release, StringComparer.Ordinal).SelectMany(targets => targets.SelectMany(target => target.Drain!.ByKind).GroupBy(kind => kind.Key).Select(kind =>
                    new MetricSample([.. LabelsOf(targets.Key, targets.First().Target.Revision), ("kind", kind.Key.ToString())], kind.Sum(pair => pair.Value)))),
            ]);
        yield return new MetricFamily(
            "wunderproxy_drain_deadline_timestamp_seconds",
            MetricKind.Gauge,
            "When the last of what runs on a replaced target is cut.",
            [
                .. draining.Where(target => target.Deadline is not null).GroupBy(target => target.Target.Release, StringComparer.Ordinal)
                    .Select(targets => new MetricSample(LabelsOf(targets.Key, targets.First().Target.Revision), targets.Max(target => target.Deadline!.Value.ToUnixTimeMilliseconds()) / 1000.0)),
            ]);
    }

    private static MetricLabel[] LabelsOf(ReleaseTotals release, int digit) => [.. LabelsOf(release), ("code_class", $"{digit}xx")];

    private static MetricLabel[] LabelsOf(ReleaseTotals release) => LabelsOf(release.Release, release.Revision);

    private static MetricLabel[] LabelsOf(string? hash, string revision) => [("revision", revision), ("release", Short(hash ?? ""))];
}
