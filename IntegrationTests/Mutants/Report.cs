using System.Globalization;
using System.Text;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>Writes what caught each mutant, as Markdown.</summary>
internal static class Report
{
    private const string Introduction =
        """
        # Mutants of the plan

        Made by `IntegrationTests/Mutants/run.sh`. Each line is one small fault that was put into a rule of `Controller/Releases`: a row or a guard left out, a condition
        turned round, a boundary moved, a change of the journal forgotten. The tests ran on each, from the quickest to the slowest, until something failed:

        * **compiler**: the code doesn't compile with the fault in it.
        * **tests**: an ordinary test fails; its name is the promise that was broken. Tests that hold the documentation against the code are not among them.
        * **model**: the model (`IntegrationTests/Model`) finds a state or a move that breaks the promise that is named.
        * **simulation**: a seed of the simulated Controller (`IntegrationTests/Simulation`) breaks a promise.
        * **reasoned**: nothing catches it, and that is right, for the reason that is named.

        """;

    private static readonly string[] Columns = [Stage.Compiler, .. Stage.All.Select(s => s.Name), "reasoned", "survives", "to be tried"];

    public static string Of(IReadOnlyList<Mutant> mutants, Findings findings)
    {
        var text = new StringBuilder(Introduction).Append('\n');
        AppendSummary(text, mutants, findings);
        foreach (var file in mutants.GroupBy(m => m.File))
            AppendFile(text, file, findings);
        return text.ToString();
    }

    private static void AppendSummary(StringBuilder text, IReadOnlyList<Mutant> mutants, Findings findings)
    {
        text.Append("| File | mutants | ").AppendJoin(" | ", Columns).Append(" |\n| --- |").Insert(text.Length, " ---: |", Columns.Length + 1).Append('\n');
        foreach (var file in mutants.GroupBy(m => m.File))
            AppendCounts(text, file.Key, [.. file], findings);
        AppendCounts(text, "all", mutants, findings);
    }

    private static void AppendCounts(StringBuilder text, string name, IReadOnlyList<Mutant> mutants, Findings findings)
    {
        var counts = mutants.CountBy(m => ColumnOf(m, findings)).ToDictionary();
        text.Append(CultureInfo.InvariantCulture, $"| {name} | {mutants.Count} | ").AppendJoin(" | ", Columns.Select(c => counts.GetValueOrDefault(c))).Append(" |\n");
    }

    private static void AppendFile(StringBuilder text, IGrouping<string, Mutant> file, Findings findings)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {file.Key}\n\n| Member | Code | Change | Caught by |\n| --- | --- | --- | --- |\n");
        foreach (var mutant in file)
            text.Append(CultureInfo.InvariantCulture, $"| {mutant.Member} | {Cell($"`{mutant.Code}`")} | {Cell(mutant.Change)} | {Cell(CaughtBy(mutant, findings))} |\n");
    }

    private static string CaughtBy(Mutant mutant, Findings findings) => ColumnOf(mutant, findings) switch
    {
        "reasoned" => $"reasoned: {Reasons.Of(mutant)}",
        "survives" => "**nothing**",
        "to be tried" => "to be tried further",
        var column => $"{column}: {findings.Of(mutant).By}",
    };

    private static string ColumnOf(Mutant mutant, Findings findings) =>
        findings.Of(mutant) switch
        {
            { CaughtIn: { } stage } => stage,
            _ when Reasons.Of(mutant) is not null => "reasoned",
            { Passed: var passed } => passed < Stage.All.Count ? "to be tried" : "survives",
        };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
