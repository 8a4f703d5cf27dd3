using System.Globalization;
using System.Text;

namespace Wunderproxy.Controller.Metering;

/// <summary>Writes metrics in the text format of Prometheus, version 0.0.4.</summary>
/// <remarks>
/// The libraries that there are count in the process itself: prometheus-net has no histogram whose buckets and sum come from elsewhere, and its counters don't go back where the Proxy was started again;
/// OpenTelemetry has no histogram that is observed either. What is told here is mostly counted by another process.
/// </remarks>
internal static class PrometheusText
{
    /// <summary>Its media type.</summary>
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes all that have a value.</summary>
    public static string Write(IEnumerable<MetricFamily> families)
    {
        var text = new StringBuilder();
        foreach (var family in families.Where(family => family.Samples.Count > 0))
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {family.Name} {Escaped(family.Help)}\n# TYPE {family.Name} {family.Kind.ToString().ToLowerInvariant()}\n");
            foreach (var sample in family.Samples)
            {
                Write(text, family.Name, sample);
            }
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, string name, MetricSample sample)
    {
        if (sample.Buckets is not { } buckets)
        {
            WriteLine(text, name, sample.Labels, sample.Value);
            return;
        }

        var count = 0L;
        foreach (var (limit, own) in buckets)
        {
            count += own;
            WriteLine(text, name + "_bucket", [.. sample.Labels, ("le", Number(limit))], count);
        }

        WriteLine(text, name + "_sum", sample.Labels, sample.Value);
        WriteLine(text, name + "_count", sample.Labels, count);
    }

    private static void WriteLine(StringBuilder text, string name, IReadOnlyList<MetricLabel> labels, double value)
    {
        text.Append(name);
        if (labels.Count > 0)
        {
            text.Append('{').AppendJoin(',', labels.Select(label => $"{label.Name}=\"{Escaped(label.Value).Replace("\"", "\\\"", StringComparison.Ordinal)}\"")).Append('}');
        }

        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
