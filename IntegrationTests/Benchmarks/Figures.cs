using System.Globalization;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>The values of one measurement, repeated.</summary>
internal sealed class Figures(IEnumerable<double> values)
{
    private readonly double[] _sorted = [.. values.Order()];

    public int Count => _sorted.Length;

    public double Median => _sorted.Length % 2 == 1 ? _sorted[_sorted.Length / 2] : (_sorted[(_sorted.Length / 2) - 1] + _sorted[_sorted.Length / 2]) / 2;

    public double Max => _sorted[^1];

    /// <summary>The smallest value that so many percent don't exceed.</summary>
    public double Percentile(double percent) => _sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * _sorted.Length) - 1, 0, _sorted.Length - 1)];

    /// <summary>The middle half and both ends, such as <c>212–240 (198–401)</c>.</summary>
    public string Spread(string format) =>
        $"{Text(Percentile(25), format)}–{Text(Percentile(75), format)} ({Text(_sorted[0], format)}–{Text(_sorted[^1], format)})";

    public string MedianText(string format) => Text(Median, format);

    public static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
