using System.Runtime.CompilerServices;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Documentation;

/// <summary>Holds the documentation against the code; with <c>UPDATE_DOCUMENTATION=1</c> the sections are written anew instead.</summary>
public sealed class ArchitectureTests
{
    [Fact]
    public void Table_of_the_plan_in_ARCHITECTURE_is_made_from_the_rows_that_run() =>
        AssertContains("plan", PlanTable.ToMarkdown());

    [Fact]
    public void Diagram_of_the_phases_in_ARCHITECTURE_is_made_from_the_graph() =>
        AssertContains("phases", $"```mermaid\n{PhaseGraph.ToMermaid().ReplaceLineEndings("\n").Trim()}\n```\n");

    private static void AssertContains(string section, string expected)
    {
        var path = Path.Combine(Root(), "ARCHITECTURE.md");
        var text = File.ReadAllText(path).ReplaceLineEndings("\n");
        var begin = $"<!-- begin {section} -->\n";
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = text.IndexOf($"<!-- end {section} -->", StringComparison.Ordinal);
        Assert.True(to >= from, $"ARCHITECTURE.md has a section between '<!-- begin {section} -->' and '<!-- end {section} -->'");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCUMENTATION") == "1")
            File.WriteAllText(path, text[..from] + expected + text[to..]);
        else
            Assert.Equal(expected, text[from..to]);
    }

    private static string Root([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(path, "../../.."));
}
