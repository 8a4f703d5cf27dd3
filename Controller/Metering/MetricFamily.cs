namespace Wunderproxy.Controller.Metering;

/// <summary>A metric with all of its samples, as it is at the moment.</summary>
/// <param name="Name">By the conventions of Prometheus: unit and, of counters, <c>_total</c> at the end.</param>
/// <param name="Kind">How its values go.</param>
/// <param name="Help">What it counts.</param>
/// <param name="Samples">Its values.</param>
internal sealed record MetricFamily(string Name, MetricKind Kind, string Help, IReadOnlyList<MetricSample> Samples)
{
    /// <summary>A metric without labels.</summary>
    public static MetricFamily Of(string name, MetricKind kind, string help, double value) => new(name, kind, help, [new MetricSample([], value)]);
}

/// <summary>How the values of a metric go.</summary>
internal enum MetricKind
{
    /// <summary>Up, and to zero where what counts is started again.</summary>
    Counter,

    /// <summary>Up and down.</summary>
    Gauge,

    /// <summary>Counts of durations by their length.</summary>
    Histogram,
}

/// <summary>A value.</summary>
/// <param name="Labels">What tells it apart from others of its metric.</param>
/// <param name="Value">The value; of a histogram the sum, in seconds.</param>
/// <param name="Buckets">Of a histogram: upper limits in seconds with how many are not longer than each but longer than the one before; the last one is infinite.</param>
internal sealed record MetricSample(IReadOnlyList<MetricLabel> Labels, double Value, IReadOnlyList<(double Limit, long Count)>? Buckets = null);

/// <summary>A label.</summary>
internal readonly record struct MetricLabel(string Name, string Value)
{
    public static implicit operator MetricLabel((string Name, string Value) pair) => new(pair.Name, pair.Value);
}
