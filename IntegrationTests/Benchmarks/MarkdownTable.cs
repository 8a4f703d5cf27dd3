using System.Text;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>A table with its title and the words below it.</summary>
internal sealed class MarkdownTable(string title, params string[] columns)
{
    private readonly StringBuilder _text = new StringBuilder()
        .Append("## ").Append(title).Append("\n\n")
        .Append("| ").AppendJoin(" | ", columns).Append(" |\n|")
        .Append(" --- |").Append(string.Concat(Enumerable.Repeat(" ---: |", columns.Length - 1))).Append('\n');

    public MarkdownTable Row(params string[] cells)
    {
        _text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
        return this;
    }

    /// <summary>The table as text, with a paragraph below it.</summary>
    public string With(string note) => $"{_text}\n{note}\n";
}
