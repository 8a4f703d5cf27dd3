namespace Wunderproxy.Controller.Releases;

/// <summary>Writes the rows of the plan as the table of the documentation.</summary>
internal static class PlanTable
{
    /// <summary>A Markdown table, in the order in which the rows are tried.</summary>
    public static string ToMarkdown() => string.Join('\n',
    [
        "| Row | When | Then |",
        "| --- | --- | --- |",
        .. Plan.Rows.Append(Plan.Settled).Select(row => $"| {row.Id} | {row.When} | {row.Then} |"),
    ]) + "\n";
}
