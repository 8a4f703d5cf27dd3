using Wunderproxy.Controller.Metering;

namespace Wunderproxy.IntegrationTests.Metering;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Values_are_written_with_their_labels_help_and_type() => AssertText(
        """
        # HELP a_total Things.
        # TYPE a_total counter
        a_total{kind="x",end="y"} 12
        a_total 0.5

        """,
        new MetricFamily("a_total", MetricKind.Counter, "Things.", [new MetricSample([("kind", "x"), ("end", "y")], 12), new MetricSample([], 0.5)]));

    [Fact]
    public void Counts_of_a_histogram_add_up() => AssertText(
        """
        # HELP d_seconds Durations.
        # TYPE d_seconds histogram
        d_seconds_bucket{le="0.5"} 2
        d_seconds_bucket{le="1"} 2
        d_seconds_bucket{le="+Inf"} 5
        d_seconds_sum 9.25
        d_seconds_count 5

        """,
        new MetricFamily("d_seconds", MetricKind.Histogram, "Durations.", [new MetricSample([], 9.25, [(0.5, 2), (1, 0), (double.PositiveInfinity, 3)])]));

    [Fact]
    public void Whatever_is_in_a_revision_stays_within_its_label() => AssertText(
        """
        # HELP a Back\\slash\nand line.
        # TYPE a gauge
        a{revision="\"} 1\n\\"} 9007199254740991

        """,
        new MetricFamily("a", MetricKind.Gauge, "Back\\slash\nand line.", [new MetricSample([("revision", "\"} 1\n\\")], (1L << 53) - 1)]));

    [Fact]
    public void Metric_without_a_value_is_left_out() => AssertText("", new MetricFamily("a", MetricKind.Gauge, "Nothing.", []));

    private static void AssertText(string expected, MetricFamily family) => Assert.Equal(expected.ReplaceLineEndings("\n"), PrometheusText.Write([family]));
}
