namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>Mutants that nothing catches, and why that is right.</summary>
internal static class Reasons
{
    private static readonly Dictionary<string, string> ByKey = new(StringComparer.Ordinal)
    {
        ["Backoff.cs Doubled: 20: `20` is `21` 1"] = "Both are far beyond every cap; the bound only keeps the power finite.",
        ["CandidateRows.cs Unhealthy: start < candidate.Since: `<` is `<=` 1"] = "Where both are the same instant, either is.",
        ["RetirementRows.cs DeadlineOf: given > deadline: `>` is `>=` 1"] = "Where both are the same instant, either is.",
        ["RetirementRows.cs DeadlineOf: since > draining.Since: `>` is `>=` 1"] = "Where both are the same instant, so are both deadlines.",
        ["RetirementRows.cs Drain: s.IsTarget(container): dropped 1"] = "Nothing is stopped here unless the Proxy's target is the active release; a second lock on what must never happen.",
        ["Situation.cs Containers: journal.Stopping.Count == 0: never 1"] = "Only spares the copy where nothing is being stopped.",
    };

    public static string? Of(Mutant mutant) => ByKey.GetValueOrDefault(mutant.Key);
}
