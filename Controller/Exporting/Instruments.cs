using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Wunderproxy.Controller.Metering;

namespace Wunderproxy.Controller.Exporting;

/// <summary>Shows the metrics to those who collect from .NET's instruments, under the same names less <c>_total</c>.</summary>
internal sealed class Instruments : IDisposable
{
    /// <summary>What the instruments are found by.</summary>
    public const string MeterName = "wunderproxy";

    private const string TotalSuffix = "_total";

    private readonly Meter _meter = new(MeterName);
    private readonly ConcurrentDictionary<string, MetricFamily> _latest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Instrument> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, MetricSample> _told = new(StringComparer.Ordinal);
    private bool _hasLooked;

    /// <summary>Takes the metrics as they are now.</summary>
    public void Take(IReadOnlyList<MetricFamily> families)
    {
        foreach (var gone in _latest.Keys.Except(families.Select(family => family.Name), StringComparer.Ordinal))
        {
            _latest.TryRemove(gone, out _);
        }

        foreach (var family in families)
        {
            _latest[family.Name] = family;
            if (!_known.TryGetValue(family.Name, out var instrument))
            {
                _known[family.Name] = instrument = Create(family);
            }

            if (instrument is Histogram<double> histogram)
            {
                Record(family, histogram);
            }
        }

        _hasLooked = true;
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private Instrument Create(MetricFamily family)
    {
        var name = family.Name.EndsWith(TotalSuffix, StringComparison.Ordinal) ? family.Name[..^TotalSuffix.Length] : family.Name;
        return family.Kind switch
        {
            MetricKind.Counter => _meter.CreateObservableCounter(name, () => Observe(family.Name), UnitOf(name), family.Help),
            MetricKind.Gauge => _meter.CreateObservableGauge(name, () => Observe(family.Name), UnitOf(name), family.Help),
            _ => _meter.CreateHistogram(name, UnitOf(name), family.Help, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = LimitsOf(family) }),
        };
    }

    private static IReadOnlyList<double>? LimitsOf(MetricFamily family) =>
        family.Samples is [{ Buckets: { } buckets }, ..] ? [.. buckets.Select(bucket => bucket.Limit).Where(double.IsFinite)] : null;

    private IEnumerable<Measurement<double>> Observe(string name) =>
        _latest.TryGetValue(name, out var family) ? family.Samples.Select(sample => new Measurement<double>(sample.Value, TagsOf(sample))) : [];

    // There is no histogram that is observed. So what came since the last look is recorded, in values that have the same counts and the same sum. What had come before the first look isn't told.
    private void Record(MetricFamily family, Histogram<double> histogram)
    {
        foreach (var sample in family.Samples)
        {
            var key = $"{family.Name} {string.Join(' ', sample.Labels)}";
            var former = _told.GetValueOrDefault(key);
            _told[key] = sample;
            if (former is null && !_hasLooked)
            {
                continue;
            }

            foreach (var (value, count) in HistogramChange.Between(former, sample))
            {
                for (var i = 0L; i < count; i++)
                {
                    histogram.Record(value, TagsOf(sample));
                }
            }
        }
    }

    private static KeyValuePair<string, object?>[] TagsOf(MetricSample sample) => [.. sample.Labels.Select(label => new KeyValuePair<string, object?>(label.Name, label.Value))];

    private static string? UnitOf(string name) => name switch
    {
        _ when name.EndsWith("_seconds", StringComparison.Ordinal) => "s",
        _ when name.EndsWith("_bytes", StringComparison.Ordinal) => "By",
        _ => null,
    };
}
