namespace Wunderproxy.Controller.Reporting;

/// <summary>Rows of texts, each column as wide as its widest text.</summary>
internal static class Columns
{
    private const string Gap = "  ";

    /// <summary>The rows with their columns below each other; the last column is as long as it likes.</summary>
    /// <param name="indent">What each row begins with.</param>
    /// <param name="rows">As many texts in each.</param>
    public static IEnumerable<string> Align(string indent, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        if (rows.Count == 0)
        {
            return [];
        }

        int[] widths = [.. Enumerable.Range(0, rows[0].Count).Select(column => rows.Max(row => row[column].Length))];
        return rows.Select(row => (indent + string.Join(Gap, row.Select((text, column) => text.PadRight(widths[column])))).TrimEnd());
    }
}
