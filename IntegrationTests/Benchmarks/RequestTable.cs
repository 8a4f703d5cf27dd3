namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Groups of a load's requests side by side: how many, how many failed, and how long they took.</summary>
internal static class RequestTable
{
    public static MarkdownTable Begin(string title) => new(title, "Requests", "Count", "Failed", "p50 ms", "p99 ms", "Slowest ms");

    public static void Add(this MarkdownTable table, string name, List<Request> requests)
    {
        var figures = FiguresOf(requests);
        table.Row(name, $"{requests.Count}", $"{requests.Count(r => r.Version is null)}", figures.MedianText("0.00"), Figures.Text(figures.Percentile(99), "0.00"), Figures.Text(figures.Max, "0.0"));
    }

    public static double P99Ms(this List<Request> requests) => FiguresOf(requests).Percentile(99);

    private static Figures FiguresOf(List<Request> requests) => new(requests.Select(r => r.Took.TotalMilliseconds));
}
