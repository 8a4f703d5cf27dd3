namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>Mutants that nothing catches, and why that is right.</summary>
internal static class Reasons
{
    private static readonly Dictionary<string, string> ByKey = new(StringComparer.Ordinal)
    {
        ["Backoff.cs Doubled: 20: `20` is `21` 1"] = "Both are far beyond every cap; the bound only keeps the power finite.",
        ["Situation.cs Containers: journal.Stopping.Count == 0: never 1"] = "Only spares the copy where nothing is being stopped.",
    };

    public static string? Of(Mutant mutant) => ByKey.GetValueOrDefault(mutant.Key);
}
