namespace Wunderproxy.Proxy.Stats;

/// <summary>Durations that are counted together since the Proxy started, for histograms whose limits never change.</summary>
internal static class DurationBounds
{
    private static readonly double[] Limits = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
    private static readonly long[] LimitTicks = [.. Limits.Select(limit => TimeSpan.FromSeconds(limit).Ticks)];

    /// <summary>The limits, in seconds; they count as not longer.</summary>
    public static IReadOnlyList<double> Seconds => Limits;

    /// <summary>There are this many counts: what is longer than all limits has one, too.</summary>
    public static int Counts => Limits.Length + 1;

    /// <summary>Which count a duration belongs to.</summary>
    public static int IndexOf(TimeSpan duration)
    {
        var index = 0;
        while (index < LimitTicks.Length && duration.Ticks > LimitTicks[index])
        {
            index++;
        }

        return index;
    }
}
