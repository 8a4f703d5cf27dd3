using System.Globalization;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>
/// The plan itself against everything that can happen in a small world. <c>./test.sh model [MINUTES]</c> looks at more of it.
/// </summary>
public sealed class ModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, 0, 1, int.MaxValue)]
    [InlineData(0, 1, 1, int.MaxValue)]
    [InlineData(1, 1, 1, 250_000)]
    public void Every_promise_holds_in_every_state_and_every_run_without_further_faults_settles(int faults, int crashes, int changes, int states) =>
        Explore(new Budget(faults, crashes, changes), states, () => false);

    [Fact(Explicit = true)]
    public void Every_promise_holds_however_long_one_looks()
    {
        var minutes = double.Parse(Environment.GetEnvironmentVariable("WUNDERPROXY_MODEL_MINUTES") ?? "10", CultureInfo.InvariantCulture);
        var began = TimeProvider.System.GetTimestamp();
        var left = () => TimeSpan.FromMinutes(minutes) - TimeProvider.System.GetElapsedTime(began);
        var budgets = new Budget[] { new(2, 0, 1), new(0, 2, 1), new(1, 1, 1), new(0, 0, 2), new(1, 1, 2), new(2, 2, 2) };
        for (var i = 0; i < budgets.Length; i++)
        {
            var leftForOthers = left() * (budgets.Length - i - 1) / (budgets.Length - i);
            Explore(budgets[i], int.MaxValue, () => left() <= leftForOthers);
        }
    }

    private void Explore(Budget budget, int states, Func<bool> isOver)
    {
        var began = TimeProvider.System.GetTimestamp();
        var explored = new Explorer(Plan.Rows, states, isOver).Explore(Scenarios.Roots(budget));
        var rest = explored.Unexplored == 0 ? "all that there are" : $"{explored.Unexplored} of them not gone on from";
        output.WriteLine($"{budget.Faults} faults, {budget.Crashes} crashes, {budget.Changes} changes: {explored.States} states, {rest}; depth {explored.Depth}; {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
        Assert.True(explored.Broken is null, explored.Story);
    }
}
