using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Remembering;
using static Wunderproxy.IntegrationTests.Remembering.Points;

namespace Wunderproxy.IntegrationTests.Remembering;

public sealed class TrafficHistoryTests
{
    private readonly TrafficHistory _history = new();

    [Theory]
    [InlineData(10, 1, new[] { 1, 12 })]
    [InlineData(11, 10, new[] { 0, 10 })]
    public void Ten_minutes_or_less_are_told_by_the_second_and_more_by_ten(int minutes, int step, int[] expected)
    {
        _history.Take(Recent(15, Release("a", [Point(1, 1), Point(12, 2)], [Point(0, 1), Point(10, 2)])), null);

        var document = _history.Report(minutes, Begin.AddSeconds(15));

        Assert.Equal((step, Begin.AddSeconds(15)), (document.StepSeconds, document.Until));
        var revision = Assert.Single(document.Revisions);
        Assert.Equal(("a", "of a"), (revision.Hash, revision.Revision));
        Assert.Equal(expected, revision.Points.Select(point => (int)(point.At - Begin).TotalSeconds));
        var last = revision.Points[^1];
        Assert.Equal((2, 4, 6, 1.2, 3.0, 9.0), (last.Requests, last.BytesIn, last.BytesOut, last.P50Ms, last.P90Ms, last.P99Ms));
        Assert.Equal(new Dictionary<int, long> { [2] = 2 }, last.ByClass);
    }

    [Fact]
    public void Step_that_went_on_is_asked_for_again_and_replaced()
    {
        Assert.Null(_history.AskFrom);
        _history.Take(Recent(17, Release("a", [Point(9, 1), Point(16, 1)], [Point(0, 1), Point(10, 1)])), null);
        Assert.Equal(Begin.AddSeconds(10), _history.AskFrom);

        _history.Take(Recent(27, Release("a", [Point(16, 3), Point(20, 4)], [Point(10, 3), Point(20, 4)])), _history.AskFrom);

        Assert.Equal([1, 3, 4], RequestsOf(10));
        Assert.Equal([1, 3, 4], RequestsOf(60));
    }

    [Fact]
    public void What_the_proxy_counted_before_its_restart_in_the_same_step_is_added()
    {
        _history.Take(Recent(17, Release("a", null, [Point(10, 5, p99Ms: 70)])), null);
        var restarted = Recent(19, Begin.AddSeconds(18), Release("a", null, [Point(10, 2, p99Ms: 20)]));
        _history.Take(restarted, _history.AskFrom);
        _history.Take(restarted, _history.AskFrom);

        var point = Assert.Single(Assert.Single(_history.Report(60, Begin.AddSeconds(19)).Revisions).Points);

        Assert.Equal((7, 7, 70.0), (point.Requests, point.ByClass[2], point.P99Ms));
    }

    [Fact]
    public void What_a_proxy_left_behind_that_was_ended_is_added_once()
    {
        _history.Take(Recent(17, Release("a", [Point(16, 1)], [Point(10, 1)])), null);
        var restarted = Recent(19, Begin.AddSeconds(18), Release("a", [Point(18, 4)], [Point(10, 4)])) with
        {
            Former = Recent(17.5, Release("a", [Point(16, 1), Point(17, 2)], [Point(10, 3)])),
        };
        _history.Take(restarted, _history.AskFrom);
        _history.Take(restarted, _history.AskFrom);

        Assert.Equal([1, 2, 4], RequestsOf(10));
        Assert.Equal([7], RequestsOf(60));
    }

    [Fact]
    public void Requests_without_a_release_have_an_entry_of_their_own()
    {
        _history.Take(Recent(1, Release("a", [Point(0, 1)]), Release(null, [Point(0, 2)])), null);

        Assert.Equal([("a", 1), (null, 2)], _history.Report(1, Begin.AddSeconds(1)).Revisions.Select(revision => (revision.Hash, revision.Points[0].Requests)));
    }

    [Fact]
    public void What_is_older_than_was_asked_for_is_left_out()
    {
        _history.Take(Recent(119, Release("a", [Point(10, 1), Point(59, 2), Point(60, 3)])), null);

        Assert.Equal([2, 3], RequestsOf(1, 119));
    }

    [Fact]
    public void Memory_is_bounded_by_time_and_by_number()
    {
        const int day = 24 * 60 * 60;
        for (var second = 0; second < 2 * day; second += 10)
        {
            _history.Take(Recent(second + 9, Release("a", [Point(second, 1)], [Point(second, 1)]), Release("b", [Point(second, 1)], [Point(second, 1)])), Begin.AddSeconds(second));
        }

        Assert.InRange(_history.TenSecondSteps.Points.Count, 2 * 8640, 2 * 8642);
        Assert.InRange(_history.Seconds.Points.Count, 2 * 60, 2 * 62);

        _history.Take(Recent((2 * day) + 10, [.. Enumerable.Range(0, 9).Select(i => Release($"{i}", null, Enumerable.Range(0, 8640).Select(step => Point((2 * day) - (step * 10), 1))))]), null);
        Assert.Equal(TrafficHistory.MostTenSeconds, _history.TenSecondSteps.Points.Count);
    }

    [Fact]
    public void Clock_that_is_set_back_removes_what_is_to_come_again()
    {
        _history.Take(Recent(3600, Release("a", [Point(3599, 1)])), null);

        _history.Take(Recent(10, Release("a", [Point(5, 2)])), _history.AskFrom);

        Assert.Equal([2], RequestsOf(10, 10));
        Assert.Equal(Begin.AddSeconds(10), _history.AskFrom);
    }

    [Fact]
    public void Switches_are_told_once_in_their_order()
    {
        TakeSwitches(100, (10, "a"), (20, "b"));
        TakeSwitches(200, (10, "a"), (20, "b"), (150, "a"));

        Assert.Equal([(10, "a"), (20, "b"), (150, "a")], SwitchesOf(60, 200));
        Assert.Equal([(150, "a")], SwitchesOf(1, 200));
    }

    [Fact]
    public void Proxy_that_was_started_again_has_moved_nothing()
    {
        TakeSwitches(100, (10, "a"));
        TakeSwitches(200, (150, "a"));
        TakeSwitches(300, (150, "a"), (250, "b"));
        TakeSwitches(400, (150, "a"), (250, "b"));

        Assert.Equal([(10, "a"), (250, "b")], SwitchesOf(60, 400));
    }

    [Fact]
    public void Switch_of_which_the_time_is_over_is_known_but_not_told()
    {
        const int week = 7 * 24 * 3600;
        TakeSwitches(100, (-week, "a"), (10, "b"));
        Assert.Equal([(10, "b")], SwitchesOf(1440, 100));

        TakeSwitches(week, (week - 10, "b"));
        Assert.Empty(SwitchesOf(1440, week));
        Assert.False(_history.Take(Recent(week) with { Switches = [new TrafficSwitch(Begin.AddSeconds(week - 10), "b", "")] }, null));
    }

    [Fact]
    public void Nothing_new_is_nothing_to_be_saved()
    {
        var recent = Recent(17, Release("a", [Point(16, 1)])) with { Switches = [new TrafficSwitch(Begin, "a", "1")] };

        Assert.True(_history.Take(recent, null));
        Assert.False(_history.Take(Recent(27) with { Switches = recent.Switches }, Begin.AddSeconds(20)));
    }

    private IEnumerable<long> RequestsOf(int minutes, int now = 30) => Assert.Single(_history.Report(minutes, Begin.AddSeconds(now)).Revisions).Points.Select(point => point.Requests);

    private IEnumerable<(int At, string Hash)> SwitchesOf(int minutes, int now) =>
        _history.Report(minutes, Begin.AddSeconds(now)).Switches.Select(moved => ((int)(moved.At - Begin).TotalSeconds, moved.Hash));

    private void TakeSwitches(double until, params (int At, string Hash)[] switches) =>
        _history.Take(Recent(until) with { Switches = [.. switches.Select(moved => new TrafficSwitch(Begin.AddSeconds(moved.At), moved.Hash, ""))] }, _history.AskFrom);
}
