using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Tries the rules of the plan once more, one by one, to say what became of each.</summary>
internal static class PlanTrace
{
    /// <summary>The verdict on each rule, for what the plan decided by.</summary>
    public static IReadOnlyList<RuleVerdict> Of(Observation seen, Journal journal, DateTimeOffset now, PlanSettings settings)
    {
        var verdicts = new List<RuleVerdict>();
        var isChosen = false;
        foreach (var row in Plan.Rows)
        {
            var verdict = isChosen ? NotReached(row) : VerdictOn(row, new Situation(seen, journal, now, settings));
            isChosen |= verdict.Outcome == RuleOutcome.Chosen;
            verdicts.Add(verdict);
        }

        verdicts.Add(isChosen ? NotReached(Plan.Settled) : Of(Plan.Settled, RuleOutcome.Chosen, "No other rule has anything to do now."));
        return verdicts;
    }

    // Each rule looks at a situation of its own, so that what it waits for isn't taken for what another one does.
    private static RuleVerdict VerdictOn(Row row, Situation situation)
    {
        var step = row.Match(situation);
        return (step, situation.NotedReason) switch
        {
            ({ } chosen, _) => Of(row, RuleOutcome.Chosen, chosen.Reason),
            (null, { } reason) => Of(row, RuleOutcome.Waits, reason) with { Until = situation.Wait.LookAgainAt },
            _ => Of(row, RuleOutcome.NotNow, $"It is not so that {row.When}, or nothing is left to be done about it."),
        };
    }

    private static RuleVerdict NotReached(Row row) => Of(row, RuleOutcome.NotReached, "A rule before it was chosen; it is tried again after that.");

    private static RuleVerdict Of(Row row, RuleOutcome outcome, string why) => new() { Row = row.Id, When = row.When, Then = row.Then, Outcome = outcome, Why = why };
}
