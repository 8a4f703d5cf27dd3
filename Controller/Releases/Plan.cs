using System.Collections.Immutable;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>
/// Decides what to do next: facts in, one step out, nothing else read and nothing changed. The rows are tried in order, and the first that has
/// something to do wins. They name facts, not remembered phases, so a Controller that was restarted goes on at the row that is true.
/// </summary>
internal static class Plan
{
    /// <summary>All rows, in order. The table in ARCHITECTURE.md is made from them.</summary>
    public static ImmutableArray<Row> Rows { get; } =
    [
        .. DecisionRows.All,
        .. SwitchRows.All,
        .. ActiveRows.All,
        .. CandidateRows.All,
        .. RetirementRows.All,
    ];

    /// <summary>What is said where no row has anything to do.</summary>
    public static Row Settled { get; } = new(
        "Settled", "none of the above has anything to do", "nothing, until something happens or the earliest deadline is due", situation => new Step("Settled", situation.Wait.Reason));

    /// <summary>The step for what is observed.</summary>
    public static Step Next(Observation seen, Journal journal, DateTimeOffset now, PlanSettings settings) => Next(Rows, new Situation(seen, journal, now, settings));

    /// <summary>The step by other rows: what the plan would do without one of them.</summary>
    public static Step Next(ImmutableArray<Row> rows, Situation situation)
    {
        foreach (var row in rows)
        {
            if (row.Match(situation) is { } step)
                return step with { LookAgainAt = situation.Wait.LookAgainAt };
        }

        return Settled.Match(situation)! with { LookAgainAt = situation.Wait.LookAgainAt };
    }
}
