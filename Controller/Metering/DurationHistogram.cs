namespace Wunderproxy.Controller.Metering;

/// <summary>Counts durations by their length. Safe from any thread.</summary>
/// <param name="limits">Upper limits in seconds, the shortest first.</param>
internal sealed class DurationHistogram(IReadOnlyList<double> limits)
{
    private readonly Lock _gate = new();
    private readonly long[] _counts = new long[limits.Count + 1];
    private double _seconds;

    /// <summary>Counts a duration.</summary>
    public void Record(TimeSpan duration)
    {
        var seconds = Math.Max(duration.TotalSeconds, 0);
        var index = 0;
        while (index < limits.Count && seconds > limits[index])
        {
            index++;
        }

        lock (_gate)
        {
            _counts[index]++;
            _seconds += seconds;
        }
    }

    /// <summary>What was counted.</summary>
    public MetricSample ToSample(params IReadOnlyList<MetricLabel> labels)
    {
        lock (_gate)
        {
            return new MetricSample(labels, _seconds, [.. limits.Append(double.PositiveInfinity).Zip(_counts)]);
        }
    }
}
