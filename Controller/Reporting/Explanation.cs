using System.Globalization;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Reporting;

/// <summary>Why a host does what it does, or waits: the rule, the reason, until when, who decided, and every condition.</summary>
/// <param name="Row">The rule of the plan that was chosen last.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="LookAgainAt">When it looks again at the latest; absent: when something happens.</param>
/// <param name="Working">What is under way.</param>
/// <param name="Rules">Every rule, in the order in which they are tried, and what became of it.</param>
/// <param name="Decision">Which release is to serve, and by what.</param>
/// <param name="Releases">What each release waits for.</param>
/// <param name="Conditions">Everything that was looked at.</param>
internal sealed record Explanation(
    string Row, string Reason, DateTimeOffset? LookAgainAt, IReadOnlyList<string> Working, IReadOnlyList<RuleVerdict> Rules, string Decision, IReadOnlyList<string> Releases, IReadOnlyList<Condition> Conditions)
{
    public static Explanation Of(StatusDocument status, PlanExplanation plan) => new(
        plan.Row, plan.Reason, plan.LookAgainAt, plan.Working, plan.Rules, DecisionIn(status), [.. status.Releases.Select(release => StateOf(release, status.At))], status.Conditions);

    /// <summary>The lines for people.</summary>
    /// <param name="now">The host's clock.</param>
    /// <param name="host">Where it was asked.</param>
    public IEnumerable<Line> Lines(DateTimeOffset now, string host) =>
    [
        new($"What {host} waits for", Tone.Strong),
        new($"  {Reason.TrimEnd('.')}."),
        .. Working.Select(work => new Line($"  Under way: {work}")),
        .. Rules.Where(rule => rule.Outcome == RuleOutcome.Chosen).Select(rule => new Line($"  Rule {rule.Row}: when {rule.When}, then: {rule.Then}.", Tone.Faint)),
        new(LookAgainAt is { } at && at > now ? $"  It looks again at {Words.Until(at, now)}, and whenever something happens." : "  It looks again whenever something happens.", Tone.Faint),
        .. Rules.Where(rule => rule.Outcome == RuleOutcome.Waits).Select(rule => new Line($"  Rule {rule.Row} waits: {rule.Why.TrimEnd('.')}{(rule.Until is { } until && until > now ? $"; until {Words.Until(until, now)}" : "")}.", Tone.Faint)),
        Line.Empty,
        new("What is to serve", Tone.Strong),
        new($"  {Decision}"),
        Line.Empty,
        new("Releases", Tone.Strong),
        .. Releases.Select(release => new Line($"  {release}")),
        Line.Empty,
        new("Conditions", Tone.Strong),
        .. Conditions.SelectMany(LinesOf),
    ];

    private static string DecisionIn(StatusDocument status)
    {
        var traffic = status switch
        {
            { MaintenanceMode: true } => " Maintenance is up: requests get its page.",
            { Paused: true } => " Traffic is paused: requests wait.",
            _ => "",
        };
        return ((status.Pin, status.Desired) switch
        {
            ({ } pin, var desired) => $"{Words.Name(pin.Revision, pin.Hash)}, by a switch {Words.Span(status.At - pin.Since)} ago. It holds until current.json changes, which names {(desired is null ? "nothing" : Words.Name(desired.Revision, desired.Hash))}.",
            (null, { } desired) => $"{Words.Name(desired.Revision, desired.Hash)}, by current.json, read {Words.Span(status.At - desired.Since)} ago.",
            _ => "Nothing: there is no current.json, and nobody has switched to a release.",
        }) + traffic;
    }

    private static string StateOf(ReleaseStatus release, DateTimeOffset now)
    {
        string?[] parts =
        [
            $"{Words.Name(release.Revision, release.Hash)} {Words.Of(release.Phase)}",
            release.Since is { } since ? $"for {Words.Span(now - since)}" : null,
            release is { LastProbe: { } probe, Failure: null } ? $"its health check last gave {probe}" : null,
            release.Attempts > 0 ? string.Create(CultureInfo.InvariantCulture, $"it failed {release.Attempts} times") : null,
            release.BackoffUntil is { } pause && pause > now ? $"it isn't tried again before {Words.Until(pause, now)}" : null,
            release.Traffic is { DrainingSince: not null } drain && drain.InFlight + drain.Streams > 0 ? string.Create(CultureInfo.InvariantCulture, $"{drain.InFlight} requests and {drain.Streams} streams still run on it") : null,
            release.Deadline is { } deadline && deadline > now ? $"its time is over at {Words.Until(deadline, now)}" : null,
        ];
        return $"{string.Join("; ", parts.OfType<string>())}.{(release.Failure is { } failure ? $" {failure.Message}" : "")}";
    }

    private static IEnumerable<Line> LinesOf(Condition condition)
    {
        var (sign, tone) = condition.Status switch
        {
            true => ("yes", Tone.Good),
            false => ("NO ", condition.Type == "RollbackAvailable" ? Tone.Plain : Tone.Bad),
            null => ("?  ", Tone.Faint),
        };
        var lines = condition.Message.Split('\n');
        return [new($"  {sign}  {condition.Type,-22} {lines[0]}", tone), .. lines.Skip(1).Select(line => new Line($"{"",30}{line}"))];
    }
}
