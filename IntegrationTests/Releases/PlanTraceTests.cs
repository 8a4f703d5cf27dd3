using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

public sealed class PlanTraceTests
{
    private readonly World _world = new();

    [Fact]
    public void Every_rule_has_a_verdict_and_one_is_chosen_the_one_that_the_plan_chooses()
    {
        _world.Deploy("a");
        _world.Current = new CurrentDocument.Valid(World.Hash("b"), "etag");
        _world.Publish("b");

        var verdicts = _world.Trace();

        Assert.Equal(Plan.Rows.Append(Plan.Settled).Select(row => row.Id), verdicts.Select(v => v.Row));
        Assert.Equal("Deploy", Assert.Single(verdicts, v => v.Outcome == RuleOutcome.Chosen).Row);
        Assert.All(verdicts, v => Assert.NotEmpty(v.Why));
    }

    [Fact]
    public void Rules_before_the_chosen_one_say_why_not_and_those_behind_it_were_not_reached()
    {
        _world.Deploy("a");
        _world.ExitOnly("a");

        var verdicts = _world.Trace();

        var chosen = verdicts.ToList().FindIndex(v => v.Outcome == RuleOutcome.Chosen);
        Assert.All(verdicts.Take(chosen), v => Assert.True(v.Outcome is RuleOutcome.NotNow or RuleOutcome.Waits));
        Assert.All(verdicts.Skip(chosen + 1), v => Assert.Equal(RuleOutcome.NotReached, v.Outcome));
    }

    [Fact]
    public void Rule_that_has_to_wait_says_for_what_and_until_when()
    {
        _world.Deploy("a");
        _world.Deploy("b", c => c with { Probation = new() { Duration = TimeSpan.FromMinutes(1) } });

        var drain = Assert.Single(_world.Trace(), v => v.Row == "Drain");

        Assert.Equal(RuleOutcome.Waits, drain.Outcome);
        Assert.Contains("is kept warm for the probation", drain.Why, StringComparison.Ordinal);
        Assert.InRange(drain.Until!.Value, _world.Now, _world.Now.AddMinutes(1));
        Assert.Equal("Settled", Assert.Single(_world.Trace(), v => v.Outcome == RuleOutcome.Chosen).Row);
    }
}
