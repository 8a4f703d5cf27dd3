using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

public class TrafficStepsTests
{
    private static readonly DateTimeOffset Begin = new(2026, 11, 27, 7, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(Begin);
    private readonly TrafficRecorder _traffic;

    public TrafficStepsTests() => _traffic = new TrafficRecorder(_time);

    [Fact]
    public void Each_second_has_what_ended_in_it_and_ten_of_them_together_the_same()
    {
        Record(200, 10);
        Record(404, 20);
        Tick(1);
        Tick(1);
        Record(503, 30);
        Tick(1);

        var report = Report();

        Assert.Equal([0, 2], report.Seconds.Select(point => (point.At - Begin).TotalSeconds));
        Assert.Equal(new Dictionary<int, long> { [2] = 1, [4] = 1 }, report.Seconds[0].ByClass);
        Assert.Equal((1, 1), (report.Seconds[1].Requests, report.Seconds[1].ByClass[5]));
        var ten = Assert.Single(report.TenSeconds);
        Assert.Equal((Begin, 3, 3), (ten.At, ten.Requests, ten.ByClass.Count));
        Assert.InRange(ten.P50Ms, 20, 20 * 1.0625);
        Assert.Equal(30, ten.P99Ms);
    }

    [Fact]
    public void Second_that_goes_on_is_told_as_far_as_it_is_known()
    {
        Record(200, 10);
        Assert.Equal(1, Assert.Single(Report().Seconds).Requests);

        _time.Advance(TimeSpan.FromMilliseconds(500));
        Record(200, 10);

        Assert.Equal(2, Assert.Single(Report().Seconds).Requests);
    }

    [Fact]
    public void Bytes_are_those_of_the_step_and_streams_have_no_duration()
    {
        _traffic.Record(200, _time.GetTimestamp(), 5, 7, isStream: false);
        Tick(1);
        _traffic.Record(101, _time.GetTimestamp() - TimeSpan.TicksPerMinute, 11, 13, isStream: true);
        Tick(1);

        Assert.Equal([(5, 7, 0.0), (11, 13, 0.0)], Report().Seconds.Select(point => (point.BytesIn, point.BytesOut, point.P99Ms)));
    }

    [Fact]
    public void Seconds_are_kept_for_ten_minutes_and_ten_seconds_for_fifteen()
    {
        for (var i = 0; i < 20 * 60; i++)
        {
            Record(200, 10);
            Tick(1);
        }

        var report = Report();

        Assert.Equal(10 * 60, report.Seconds.Count);
        Assert.Equal(15 * 6, report.TenSeconds.Count);
        Assert.All(report.TenSeconds, point => Assert.Equal(10, point.Requests));
    }

    [Fact]
    public void Idle_recorder_keeps_nothing_in_the_end()
    {
        Record(200, 10);
        Tick(1);
        for (var i = 0; i < 16; i++)
        {
            Tick(60);
        }

        Assert.Null(RecentReport.Of("r", "1", [_traffic], 0));
    }

    [Fact]
    public void Clock_that_is_set_back_brings_no_second_twice()
    {
        var time = new SetClock(Begin);
        var traffic = new TrafficRecorder(time);
        traffic.Record(200, 0, 0, 0, isStream: false);
        time.Now = Begin.AddSeconds(5);
        traffic.Look();
        traffic.Record(200, 0, 0, 0, isStream: false);
        time.Now = Begin.AddSeconds(-3600);
        traffic.Look();
        traffic.Record(200, 0, 0, 0, isStream: false);

        var report = RecentReport.Of("r", "1", [traffic], 0)!;

        Assert.Equal([Begin.AddSeconds(-3600)], report.Seconds.Select(point => point.At));
    }

    [Fact]
    public void Recorders_of_one_release_are_one_series()
    {
        var other = new TrafficRecorder(_time);
        Record(200, 10);
        other.Record(200, _time.GetTimestamp() - TimeSpan.FromMilliseconds(90).Ticks, 0, 0, isStream: false);

        var point = Assert.Single(RecentReport.Of("r", "1", [_traffic, other], 0)!.Seconds);

        Assert.Equal((2, 90.0), (point.Requests, point.P99Ms));
    }

    [Fact]
    public async Task No_request_is_lost_or_told_twice_where_others_record_meanwhile()
    {
        const int requests = 200_000;
        var recording = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < requests; i++)
            {
                _traffic.Record(200, _time.GetTimestamp(), 1, 1, isStream: false);
            }
        })));
        for (var second = 0; second < 14 * 60 && !recording.IsCompleted; second++)
        {
            Tick(1);
            await Task.Yield();
        }

        await recording;
        var report = Report();

        Assert.Equal((2 * requests, 2 * requests), (report.TenSeconds.Sum(point => point.Requests), report.TenSeconds.Sum(point => point.BytesIn)));
    }

    private ReleaseTraffic Report() => RecentReport.Of("r", "1", [_traffic], 0)!;

    private void Record(int status, int milliseconds) =>
        _traffic.Record(status, _time.GetTimestamp() - TimeSpan.FromMilliseconds(milliseconds).Ticks, 0, 0, isStream: false);

    private void Tick(double seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        _traffic.Look();
    }

    private sealed class SetClock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => 0;
    }
}
