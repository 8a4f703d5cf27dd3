using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>REPORT.md: with <c>UPDATE_DOCUMENTATION=1</c> each fault that is played replaces its row.</summary>
internal static class FaultReport
{
    private const string Head = "| Fault | Expected | Seen | Sent | Failed | Recovery |\n| --- | --- | --- | ---: | ---: | ---: |\n";

    private static readonly Lock Gate = new();

    /// <summary>Every fault that a test plays, by its test class, in the order in which they stand there.</summary>
    public static IEnumerable<IGrouping<string, FaultAttribute>> Declared =>
        from type in typeof(FaultReport).Assembly.GetTypes()
        orderby type.Name
        from method in type.GetMethods()
        orderby type.Name, method.MetadataToken
        let fault = method.GetCustomAttribute<FaultAttribute>()
        where fault is not null
        group fault by type.Name;

    public static string Path { get; } = System.IO.Path.Combine(Folder(), "REPORT.md");

    /// <summary>Takes the row of a fault that was played.</summary>
    public static void Add(FaultRow row)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_DOCUMENTATION") != "1")
            return;
        lock (Gate)
        {
            var rows = Read();
            rows[row.Fault] = row;
            File.WriteAllText(Path, Write(rows));
        }
    }

    /// <summary>The rows that are there.</summary>
    public static Dictionary<string, FaultRow> Read() => !File.Exists(Path)
        ? []
        : File.ReadLines(Path).Select(FaultRow.Parse).OfType<FaultRow>().ToDictionary(row => row.Fault, StringComparer.Ordinal);

    private static string Write(Dictionary<string, FaultRow> rows)
    {
        var text = new StringBuilder(
            """
            # Faults

            Made by the tests of this folder: `UPDATE_DOCUMENTATION=1 ./test.sh faults`. Real Controllers, Proxies, Docker Engine,
            registry and S3 server, in namespaces of their own. All the time visitors ask for pages, send bodies that come back, wait for slow and long answers, talk over a WebSocket and
            listen to server-sent events. After each fault: the release that has to serve serves, no other one was refused, and no container, network, address or image is left over.

            Sent and failed are exchanges, a stream counts once; recovery is the longest one in the test. Figures are rounded.


            """.ReplaceLineEndings("\n"));
        foreach (var group in Declared)
        {
            text.Append("## ").Append(group.Key).Append("\n\n").Append(Head);
            foreach (var fault in group)
                text.Append(rows.GetValueOrDefault(fault.Fault) is { } row && row.Expected == fault.Expected ? row.ToString() : $"| {fault.Fault} | {fault.Expected} | **not played yet** | 0 | 0 |  |").Append('\n');
            text.Append('\n');
        }

        return text.Append("## Not played\n\n| Fault | Why |\n| --- | --- |\n").AppendJoin("", NotPlayed.All.Select(f => $"| {f.Fault} | {f.Why} |\n")).ToString();
    }

    private static string Folder([CallerFilePath] string path = "") => System.IO.Path.GetDirectoryName(path)!;
}
