using Wunderproxy.Controller.Exporting;
using Wunderproxy.Controller.Metering;

namespace Wunderproxy.IntegrationTests.Exporting;

public sealed class HistogramChangeTests
{
    private static readonly double[] Limits = [0.001, 0.01, 0.1, 1];

    [Fact]
    public void Values_have_the_counts_and_the_sum_of_what_was_added()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var histogram = new DurationHistogram(Limits);
            Record(histogram, random);
            var before = histogram.ToSample();
            Record(histogram, random);
            var after = histogram.ToSample();

            var change = HistogramChange.Between(before, after);

            Assert.Equal(after.Value - before.Value, change.Sum(pair => pair.Value * pair.Count), tolerance: 1e-6);
            var replayed = new DurationHistogram(Limits);
            foreach (var (value, count) in change)
            {
                for (var i = 0; i < count; i++)
                {
                    replayed.Record(TimeSpan.FromSeconds(value));
                }
            }

            Assert.Equal(after.Buckets!.Zip(before.Buckets!, (now, then) => now.Count - then.Count), replayed.ToSample().Buckets!.Select(bucket => bucket.Count));
        }
    }

    [Fact]
    public void Histogram_that_has_begun_anew_is_all_new()
    {
        var change = HistogramChange.Between(Sample(9, 3, 4), Sample(0.5, 1, 0));

        Assert.Equal([(0.5, 1L)], change);
    }

    [Fact]
    public void Nothing_added_is_nothing_to_record() => Assert.Empty(HistogramChange.Between(Sample(9, 3, 4), Sample(9, 3, 4)));

    private static MetricSample Sample(double sum, long first, long second) => new([], sum, [(1, first), (double.PositiveInfinity, second)]);

    private static void Record(DurationHistogram histogram, Random random)
    {
        for (var i = random.Next(50); i > 0; i--)
        {
            histogram.Record(TimeSpan.FromSeconds(Math.Pow(10, (random.NextDouble() * 5) - 4)));
        }
    }
}
