namespace Wunderproxy.IntegrationTests.Soak;

public sealed class GrowthTests
{
    private static readonly Measure Memory = new("memory", "MiB", Share: 0.1, Least: 8);
    private static readonly Measure Log = new("log", "KiB", Share: 0.5, Least: 1) { IsTotal = true };

    [Fact]
    public void What_goes_up_and_down_around_one_level_does_not_grow() =>
        Assert.False(GrowthOf(Memory, minute => 100 + 20 * Math.Sin(minute)).IsGrowth);

    [Fact]
    public void What_gains_a_little_in_each_minute_grows() =>
        Assert.True(GrowthOf(Memory, minute => 100 + 0.4 * minute + 20 * Math.Sin(minute)).IsGrowth);

    [Fact]
    public void What_steps_up_once_near_the_end_grows() =>
        Assert.True(GrowthOf(Memory, minute => minute < 30 ? 100 : 115).IsGrowth);

    [Fact]
    public void Few_peaks_are_no_growth() =>
        Assert.False(GrowthOf(Memory, minute => minute % 10 == 9 ? 400 : 100).IsGrowth);

    [Fact]
    public void What_gets_less_does_not_grow() =>
        Assert.False(GrowthOf(Memory, minute => 100 - minute).IsGrowth);

    [Fact]
    public void Log_that_gains_the_same_in_each_minute_does_not_grow() =>
        Assert.False(GrowthOf(Log, minute => 7 * minute).IsGrowth);

    [Fact]
    public void Log_that_gains_more_and_more_grows() =>
        Assert.True(GrowthOf(Log, minute => minute * minute).IsGrowth);

    private static Growth GrowthOf(Measure measure, Func<double, double> value) =>
        Growth.Of(measure, [.. Enumerable.Range(0, 50).Select(minute => (TimeSpan.FromMinutes(minute), value(minute)))]);
}
