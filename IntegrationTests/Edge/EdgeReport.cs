using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>REPORT.md: with <c>UPDATE_DOCUMENTATION=1</c> each test replaces its section.</summary>
internal static partial class EdgeReport
{
    private const string Head = """
        # The edge

        Made by the tests of this folder: `UPDATE_DOCUMENTATION=1 ./test.sh edge`. The Proxy is the executable as it is installed. Figures of one run on one machine; what is compared was measured in the same run.


        """;

    private static readonly Lock Gate = new();

    /// <summary>Writes a section in the place of the former one with its title.</summary>
    public static void Write(string title, string text)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_DOCUMENTATION") != "1")
            return;
        lock (Gate)
        {
            var path = Path.Combine(Folder(), "REPORT.md");
            var sections = File.Exists(path) ? Section().Matches(File.ReadAllText(path)).ToDictionary(found => found.Groups[1].Value, found => found.Groups[2].Value.Trim()) : [];
            sections[title] = text.Trim();
            File.WriteAllText(path, Head.ReplaceLineEndings("\n") + string.Join("\n\n", sections.OrderBy(section => section.Key, StringComparer.Ordinal).Select(section => $"## {section.Key}\n\n{section.Value}")) + "\n");
        }
    }

    [GeneratedRegex(@"^## (.+)\n\n([\s\S]*?)(?=\n## |\z)", RegexOptions.Multiline, 1000)]
    private static partial Regex Section();

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
