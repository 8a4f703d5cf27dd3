using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>Whether a release is worse than it may be, and worse than the one before, or whether it only had bad luck.</summary>
public sealed class TrafficJudgementTests
{
    private static readonly ProbationSpec OnePercent = new() { MaxErrorRate = 0.01 };

    [Fact]
    public void Nothing_is_judged_unless_it_is_asked_for() =>
        Assert.Null(TrafficJudgement.Of(new ProbationSpec(), null, new TrafficSample(1000, 1000, 1000)));

    [Fact]
    public void Nothing_is_judged_by_fewer_requests_than_say_something()
    {
        Assert.Null(TrafficJudgement.Of(OnePercent, null, new TrafficSample(99, 99, 0)));
        Assert.NotNull(TrafficJudgement.Of(OnePercent, null, new TrafficSample(100, 99, 0)));
        Assert.Null(TrafficJudgement.Of(OnePercent, null, null));
    }

    [Fact]
    public void Complaint_has_the_numbers()
    {
        var complaint = TrafficJudgement.Of(OnePercent, new TrafficSample(14_800, 59, 0), new TrafficSample(612, 38, 0));

        Assert.Equal(new TrafficComplaint(TrafficFlaw.Errors, 38, 612, 0.01, 59.0 / 14_800), complaint);
    }

    [Fact]
    public void Share_that_is_allowed_is_no_reason_to_complain() =>
        Assert.Null(TrafficJudgement.Of(OnePercent, null, new TrafficSample(100_000, 1_000, 0)));

    [Fact]
    public void Release_that_errs_as_often_as_the_one_before_is_no_worse_whatever_is_allowed() =>
        Assert.Null(TrafficJudgement.Of(OnePercent, new TrafficSample(10_000, 1_000, 0), new TrafficSample(10_000, 1_000, 0)));

    [Fact]
    public void Former_release_with_few_requests_says_nothing()
    {
        var former = new TrafficSample(99, 50, 0);

        var complaint = TrafficJudgement.Of(OnePercent, former, new TrafficSample(1_000, 100, 0));

        Assert.NotNull(complaint);
        Assert.Null(complaint.Former);
    }

    [Fact]
    public void Single_error_is_bad_luck_even_where_none_is_allowed()
    {
        var none = new ProbationSpec { MaxErrorRate = 0 };

        Assert.Null(TrafficJudgement.Of(none, null, new TrafficSample(1_000, 1, 0)));
        Assert.NotNull(TrafficJudgement.Of(none, null, new TrafficSample(1_000, 10, 0)));
    }

    [Fact]
    public void Every_request_may_fail_where_all_of_them_are_allowed_to() =>
        Assert.Null(TrafficJudgement.Of(new ProbationSpec { MaxErrorRate = 1 }, null, new TrafficSample(100_000, 100_000, 0)));

    [Fact]
    public void One_in_a_hundred_requests_may_be_slow_or_as_many_as_before()
    {
        var spec = new ProbationSpec { MaxLatency = TimeSpan.FromMilliseconds(500) };

        Assert.Null(TrafficJudgement.Of(spec, null, new TrafficSample(1_000, 1_000, 10)));
        Assert.Null(TrafficJudgement.Of(spec, new TrafficSample(1_000, 0, 100), new TrafficSample(1_000, 0, 100)));
        Assert.Equal(TrafficFlaw.Slowness, TrafficJudgement.Of(spec, new TrafficSample(1_000, 0, 10), new TrafficSample(1_000, 0, 100))?.Flaw);
    }

    [Fact]
    public void Errors_that_come_in_bursts_as_they_did_before_say_less()
    {
        var now = new TrafficSample(612, 30, 0);

        Assert.NotNull(TrafficJudgement.Of(OnePercent, new TrafficSample(10_000, 100, 0), now));
        Assert.Null(TrafficJudgement.Of(OnePercent, new TrafficSample(10_000, 100, 0, ErrorDispersion: 4), now));
        Assert.NotNull(TrafficJudgement.Of(OnePercent, new TrafficSample(10_000, 100, 0, SlowDispersion: 4), now));
    }
}
