using Wunderproxy.Controller.Metering;

namespace Wunderproxy.Controller.Exporting;

/// <summary>What was added to a histogram, as values that add just that to another one with the same limits.</summary>
internal static class HistogramChange
{
    private const double Least = 1e-9;

    /// <summary>A value for each limit, and how often it is to be recorded: the counts by limit are the same, and so is the sum.</summary>
    /// <param name="former">The histogram before; absent, or with higher counts where it has begun anew: all is new.</param>
    /// <param name="sample">The histogram now.</param>
    public static IReadOnlyList<(double Value, long Count)> Between(MetricSample? former, MetricSample sample)
    {
        var buckets = sample.Buckets ?? [];
        var isSame = former?.Buckets?.Count == buckets.Count && former.Buckets.Zip(buckets).All(pair => pair.First.Count <= pair.Second.Count);
        var sum = isSame ? sample.Value - former!.Value : sample.Value;
        var added = buckets.Select((bucket, i) => (
            Lower: i == 0 ? 0 : buckets[i - 1].Limit,
            Upper: double.IsFinite(bucket.Limit) ? bucket.Limit : buckets[i - 1].Limit + Math.Max(sum, 1),
            Count: isSame ? bucket.Count - former!.Buckets![i].Count : bucket.Count)).Where(bucket => bucket.Count > 0).ToList();

        // All lie at the same part of the way between their limits.
        var part = (sum - added.Sum(bucket => bucket.Count * bucket.Lower)) / added.Sum(bucket => bucket.Count * (bucket.Upper - bucket.Lower));
        return [.. added.Select(bucket => (bucket.Lower + (Math.Clamp(part, Least, 1) * (bucket.Upper - bucket.Lower)), bucket.Count))];
    }
}
