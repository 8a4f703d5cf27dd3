using System.Globalization;
using System.Text;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>What came of the soak, as Markdown.</summary>
internal sealed class SoakSummary(SoakOptions options, SoakedShop steady, SoakedShop shaken, IReadOnlyList<Growth> growths)
{
    /// <summary>In a shorter run programs are still being compiled, and heaps still find their size.</summary>
    public static readonly TimeSpan ShortestJudged = TimeSpan.FromMinutes(20);

    public bool IsJudged => options.Length >= ShortestJudged;

    /// <summary>What grew though it must not.</summary>
    public IReadOnlyList<Growth> Grown => IsJudged ? [.. growths.Where(growth => growth.Measure.IsJudged && growth.IsGrowth)] : [];

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{options.Length.TotalMinutes:0.#} minutes, seed {options.Seed}, the first {options.WarmUp.TotalMinutes:0.#} minutes are warm-up. ");
        text.Append(IsJudged ? $"Growth: {(Grown.Count == 0 ? "none" : string.Join(", ", Grown.Select(g => g.Measure.Name)))}.\n\n" : $"Growth is judged in runs of {ShortestJudged.TotalMinutes:0} minutes and more.\n\n");
        AppendCourse(text);
        AppendGrowths(text);
        return text.ToString();
    }

    private void AppendCourse(StringBuilder text)
    {
        text.Append("| What was done, and what failed | steady | shaken |\n| --- | ---: | ---: |\n");
        foreach (var what in steady.Done.Keys.Union(shaken.Done.Keys).Order(StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"| {what} | {steady.Done.GetValueOrDefault(what)} | {shaken.Done.GetValueOrDefault(what)} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| exchanges that ended well | {steady.Record.Answers.Values.Sum()} | {shaken.Record.Answers.Values.Sum()} |\n");
        text.Append(CultureInfo.InvariantCulture, $"| **exchanges that failed** | **{steady.Record.Failed}** | **{shaken.Record.Failed}** |\n");
        foreach (var reason in steady.Record.Excused.Keys.Union(shaken.Record.Excused.Keys).Order(StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"| exchanges that failed by: {reason} | {steady.Record.Excused.GetValueOrDefault(reason)} | {shaken.Record.Excused.GetValueOrDefault(reason)} |\n");
        text.Append('\n');
    }

    private void AppendGrowths(StringBuilder text)
    {
        text.Append("| Measure | first third | last third | trend over all of it | limit | |\n| --- | ---: | ---: | ---: | ---: | --- |\n");
        foreach (var growth in growths)
        {
            var unit = (growth.Measure.Unit + (growth.Measure.IsTotal ? "/min" : "")).TrimStart('/');
            text.Append(CultureInfo.InvariantCulture, $"| {growth.Measure.Name}{(unit.Length == 0 ? "" : $", {unit}")} | {growth.First:0.##} | {growth.Last:0.##} | {(growth.Measure.IsTotal ? "" : $"{growth.Trend:+0.##;-0.##;0}")} | {(growth.Measure.IsJudged ? $"+{growth.Limit:0.##}" : "")} | {Verdict(growth)} |\n");
        }
    }

    private string Verdict(Growth growth) => (IsJudged && growth.Measure.IsJudged, growth.IsGrowth) switch
    {
        (false, _) => "not judged",
        (true, true) => "**grows**",
        _ => "steady",
    };
}
