using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reporting;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Reporting;

public sealed class ExplanationTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Old = new('a', 64);
    private static readonly string New = new('b', 64);

    private static readonly StatusDocument Status = new FakeOperations().Status with
    {
        At = Now,
        Desired = new DesiredRelease(New, "v2", Now.AddSeconds(-4)),
        Releases = [new ReleaseStatus { Hash = New, Revision = "v2", Phase = ReleasePhase.Verifying, Since = Now.AddSeconds(-3), LastProbe = "503 Service Unavailable", Deadline = Now.AddMinutes(2) }],
        Plan = new PlanStatus("Unhealthy", "v2 isn't healthy yet", Now.AddSeconds(90), ["Start shop-b-1"]),
        Conditions = [new Condition("Ready", false, "Progressing", "v2 isn't healthy yet", Now), new Condition("StoreReachable", null, "NotReadYet", "The store has not been read yet.", Now)],
    };

    private static readonly PlanExplanation Reasons = new()
    {
        At = Now,
        Row = "Unhealthy",
        Reason = "v2 isn't healthy yet",
        LookAgainAt = Now.AddSeconds(90),
        Working = ["Start shop-b-1"],
        Rules =
        [
            Verdict("Drain", RuleOutcome.Waits, "shop-a-1 is kept warm for the probation") with { Until = Now.AddSeconds(30) },
            Verdict("Forget", RuleOutcome.NotNow, "It is not so."),
            Verdict("Unhealthy", RuleOutcome.Chosen, "v2 isn't healthy yet") with { When = "a candidate isn't healthy at its deadline", Then = "it is rejected" },
        ],
    };

    [Fact]
    public void Wait_is_explained_by_its_reason_its_rule_and_its_end()
    {
        var text = TextOf(Status);

        Assert.StartsWith("What web1 waits for\n  v2 isn't healthy yet.\n  Under way: Start shop-b-1\n", text, StringComparison.Ordinal);
        Assert.Contains("Rule Unhealthy: when a candidate isn't healthy at its deadline, then: it is rejected.", text, StringComparison.Ordinal);
        Assert.Contains("It looks again at 12:01:30Z, in 1m 30s, and whenever something happens.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_release_is_explained_by_what_is_known_of_it() => Assert.Contains(
        "v2 (bbbbbbbbbbbb) runs and isn't healthy yet; for 3.0 s; its health check last gave 503 Service Unavailable; its time is over at 12:02:00Z, in 2m 0s.",
        TextOf(Status), StringComparison.Ordinal);

    [Fact]
    public void Switch_against_current_json_is_explained_by_both() => Assert.Contains(
        "v1 (aaaaaaaaaaaa), by a switch 1m 0s ago. It holds until current.json changes, which names v2 (bbbbbbbbbbbb).",
        TextOf(Status with { Pin = new DesiredRelease(Old, "v1", Now.AddMinutes(-1)) }), StringComparison.Ordinal);

    [Fact]
    public void Rules_that_wait_are_told_with_their_reasons_and_until_when_and_those_that_do_not_apply_are_left_out()
    {
        Assert.Contains("Rule Drain waits: shop-a-1 is kept warm for the probation; until 12:00:30Z, in 30.0 s.\n", TextOf(Status), StringComparison.Ordinal);
        Assert.DoesNotContain("Rule Forget", TextOf(Status), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_condition_is_told_with_its_answer()
    {
        Assert.Contains("  NO   Ready                  v2 isn't healthy yet\n", TextOf(Status), StringComparison.Ordinal);
        Assert.Contains("  ?    StoreReachable         The store has not been read yet.\n", TextOf(Status), StringComparison.Ordinal);
    }

    private static RuleVerdict Verdict(string row, RuleOutcome outcome, string why) => new() { Row = row, When = "", Then = "", Outcome = outcome, Why = why };

    private static string TextOf(StatusDocument status) => string.Concat(Explanation.Of(status, Reasons).Lines(status.At, "web1").Select(line => line.Text + "\n"));
}
