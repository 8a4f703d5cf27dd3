namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>Whether a measure grew after the warm-up.</summary>
/// <param name="Measure">What was measured.</param>
/// <param name="First">Median of the first third; of a total, its increase a minute in it.</param>
/// <param name="Last">Median of the last third; of a total, its increase a minute in it.</param>
/// <param name="Trend">What the slope makes of the whole time: the median slope of all pairs of samples, which a few outliers don't change.</param>
internal sealed record Growth(Measure Measure, double First, double Last, double Trend)
{
    /// <summary>So much of growth is allowed.</summary>
    public double Limit => Math.Max(Measure.Least, Measure.Share * First);

    public bool IsGrowth => Last - First > Limit || Trend > Limit;

    /// <param name="measure">What was measured.</param>
    /// <param name="samples">When, and what was found, in order; at least three.</param>
    public static Growth Of(Measure measure, IReadOnlyList<(TimeSpan At, double Value)> samples)
    {
        var third = samples.Count / 3;
        var (first, last) = (samples.Take(third + 1).ToList(), samples.TakeLast(third + 1).ToList());
        return measure.IsTotal
            ? new Growth(measure, RateOf(first), RateOf(last), Trend: 0)
            : new Growth(measure, Median(first.Select(s => s.Value)), Median(last.Select(s => s.Value)), TrendOf(samples));
    }

    private static double RateOf(List<(TimeSpan At, double Value)> samples) =>
        (samples[^1].Value - samples[0].Value) / (samples[^1].At - samples[0].At).TotalMinutes;

    private static double TrendOf(IReadOnlyList<(TimeSpan At, double Value)> samples)
    {
        var slopes =
            from earlier in Enumerable.Range(0, samples.Count)
            from later in Enumerable.Range(earlier + 1, samples.Count - earlier - 1)
            select (samples[later].Value - samples[earlier].Value) / (samples[later].At - samples[earlier].At).TotalSeconds;
        return Median(slopes) * (samples[^1].At - samples[0].At).TotalSeconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
