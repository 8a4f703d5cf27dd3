using Wunderproxy.Controller.Observing;

namespace Wunderproxy.IntegrationTests.Observing;

public sealed class ProbeStreakTests
{
    [Fact]
    public void Probes_are_counted_until_the_run_was_ready_and_no_more_afterwards()
    {
        var streak = new ProbeStreak(successesNeeded: 2, failuresAllowed: 1);
        var (failed, succeeded) = (new ProbeResult(ProbeFailure.Refused, "nothing listens"), new ProbeResult(null, "200 OK"));
        var verdict = Verdict.Unverified;

        int[] counts = [.. new[] { failed, succeeded, succeeded, succeeded, failed }.Select(result => (verdict = streak.Judge(verdict, result)).Probes)];

        Assert.Equal([1, 2, 3, 3, 3], counts);
        Assert.Equal(Readiness.Unready, verdict.State);
    }
}
