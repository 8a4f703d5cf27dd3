using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

public class StatisticsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Counts_by_status_bytes_and_time()
    {
        var traffic = new TrafficRecorder(_time);

        Record(traffic, 200, 10);
        Record(traffic, 200, 30);
        Record(traffic, 404, 20, bytesIn: 5, bytesOut: 7);

        var report = traffic.Report();
        Assert.Equal((3, 5, 7), (report.Requests, report.BytesIn, report.BytesOut));
        Assert.Equal(0.06, report.TotalSeconds, 6);
        Assert.Equal(new Dictionary<int, long> { [200] = 2, [404] = 1 }, report.ByStatus);
    }

    [Fact]
    public void Percentiles_are_at_most_a_sixteenth_too_high_and_the_largest_is_exact()
    {
        var traffic = new TrafficRecorder(_time);
        foreach (var milliseconds in Enumerable.Range(1, 100))
        {
            Record(traffic, 200, milliseconds, advance: false);
        }

        var window = traffic.Report().Latency[0];

        Assert.Equal((1, 100, 100.0), (window.Minutes, window.Requests, window.MaxMs));
        Assert.InRange(window.P50Ms, 50, 50 * 1.0625);
        Assert.InRange(window.P90Ms, 90, 90 * 1.0625);
        Assert.InRange(window.P99Ms, 99, 100);
    }

    [Fact]
    public void Windows_forget_what_is_older()
    {
        var traffic = new TrafficRecorder(_time);
        Record(traffic, 200, 10);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal([0, 1, 1], traffic.Report().Latency.Select(w => w.Requests));
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal([0, 0, 1], traffic.Report().Latency.Select(w => w.Requests));
        _time.Advance(TimeSpan.FromMinutes(10));
        traffic.Look();
        Record(traffic, 200, 10);
        Assert.Equal([1, 1, 1], traffic.Report().Latency.Select(w => w.Requests));
    }

    [Fact]
    public void Windows_tell_errors_and_what_was_slow_and_forget_them_too()
    {
        var traffic = new TrafficRecorder(_time);
        Record(traffic, 200, 10);
        Record(traffic, 499, 10);
        Record(traffic, 500, 100);
        Record(traffic, 503, 300);
        _time.Advance(TimeSpan.FromMinutes(2));
        traffic.Look();
        Record(traffic, 502, 400);

        Assert.Equal([(1, 1), (3, 2), (3, 2)], traffic.Report(TimeSpan.FromMilliseconds(200)).Latency.Select(w => (w.Errors, w.Slow)));
        Assert.All(traffic.Report().Latency, w => Assert.Equal(0, w.Slow));
    }

    [Fact]
    public void Windows_tell_whether_errors_come_each_by_itself_or_in_bursts()
    {
        var (even, bursts) = (new TrafficRecorder(_time), new TrafficRecorder(_time));
        for (var second = 0; second < 60; second += 10)
        {
            Record(even, 500, 0);
            Record(even, 500, 0);
            for (var i = 0; i < (second == 30 ? 12 : 0); i++)
            {
                Record(bursts, 500, 0);
            }

            Record(bursts, 200, 0);
            _time.Advance(TimeSpan.FromSeconds(10));
            even.Look();
            bursts.Look();
        }

        Assert.Equal(0, even.Report().Latency[1].ErrorDispersion);
        Assert.Equal(12, bursts.Report().Latency[1].ErrorDispersion, 6);
        Assert.Equal(1, even.Report().Latency[1].SlowDispersion);
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var traffic = new TrafficRecorder(_time);
        Record(traffic, 200, 1);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 1000; i++)
        {
            traffic.Record(200, 0, 1, 1, isStream: false);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task Connections_are_counted_by_what_they_do()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var fresh = await proxy.ConnectAsync();
        await using var busy = await proxy.ConnectAsync();
        await busy.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await backend.AcceptedAsync();
        await using var idle = await proxy.ConnectAsync();
        await idle.SendAsync("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
        await idle.ReadHeadAsync();

        await AssertConnectionsAsync(proxy, isNew: 1, active: 1, idle: 1);
        await busy.DisposeAsync();
        await idle.DisposeAsync();
        await AssertConnectionsAsync(proxy, isNew: 1, active: 0, idle: 0);
    }

    private void Record(TrafficRecorder traffic, int status, int milliseconds, long bytesIn = 0, long bytesOut = 0, bool advance = true)
    {
        var duration = TimeSpan.FromMilliseconds(milliseconds);
        if (advance)
        {
            _time.Advance(duration);
        }

        traffic.Record(status, _time.GetTimestamp() - duration.Ticks, bytesIn, bytesOut, isStream: false);
    }

    private static async Task AssertConnectionsAsync(RunningProxy proxy, int isNew, int active, int idle)
    {
        for (var i = 0; ; i++)
        {
            var counts = (await proxy.StatusAsync()).Connections;
            if ((counts["new"], counts["active"], counts["idle"]) == (isNew, active, idle))
            {
                return;
            }

            Assert.True(i < 500, string.Join(", ", counts));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
