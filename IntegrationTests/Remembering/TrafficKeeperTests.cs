using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Remembering;
using Wunderproxy.IntegrationTests.Durable;
using Wunderproxy.IntegrationTests.Lab;
using static Wunderproxy.IntegrationTests.Remembering.Points;

namespace Wunderproxy.IntegrationTests.Remembering;

public sealed class TrafficKeeperTests
{
    private readonly FakeTimeProvider _time = new(Begin.AddSeconds(30));
    private readonly CrashingFileSystem _disk = new(1);
    private readonly FakeLogCollector _log = new();
    private readonly ToldTraffic _proxy = new();

    [Fact]
    public async Task Traffic_is_fetched_each_ten_seconds_from_the_step_that_went_on_and_saved_each_minute()
    {
        using var keeper = Keeper();
        using var stop = new CancellationTokenSource();
        _proxy.Tells = since => Recent(since is null ? 30 : 40, Release("a", [Point(since is null ? 25 : 35, 1)]));
        var running = keeper.RunAsync(stop.Token);

        await TickAsync(calls: 2);
        Assert.Equal([null, Begin.AddSeconds(30)], _proxy.Asked);
        Assert.Empty(_disk.Names);

        for (var i = 3; i <= 7; i++)
        {
            await TickAsync(i);
        }

        await Eventually.HoldsAsync("it is saved", () => _disk.Names.Count() == 2);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task What_was_known_when_the_controller_stopped_is_known_after_its_next_start()
    {
        _proxy.Tells = _ => Recent(30, Release("a", [Point(25, 3)])) with { Switches = [new TrafficSwitch(Begin, "a", "1")] };
        await RunForAMomentAsync();
        _proxy.Tells = _ => throw new ProxyException(ProxyFault.Unreachable, "gone");

        using var next = Keeper();
        var document = await next.ReportAsync(10, default);

        Assert.Equal([3L], Assert.Single(document.Revisions).Points.Select(point => point.Requests));
        Assert.Equal("a", Assert.Single(document.Switches).Hash);
        Assert.Equal(Begin.AddSeconds(30), document.Until);
    }

    [Fact]
    public async Task Nothing_is_written_and_logged_where_there_is_no_traffic()
    {
        _proxy.Tells = _ => Recent(30);
        await RunForAMomentAsync();

        Assert.Empty(_disk.Names);
        Assert.Empty(_log.GetSnapshot());
    }

    [Fact]
    public async Task Who_asks_gets_what_is_so_now_and_the_proxy_is_asked_once_a_second_for_all()
    {
        using var keeper = Keeper();
        _proxy.Tells = _ => Recent(30, Release("a", [Point(29, 7)]));

        var documents = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => keeper.ReportAsync(1, default)));

        Assert.All(documents, document => Assert.Equal(7, Assert.Single(document.Revisions).Points[0].Requests));
        Assert.Single(_proxy.Asked);
        _time.Advance(TimeSpan.FromSeconds(1));
        await keeper.ReportAsync(1, default);
        Assert.Equal(2, _proxy.Asked.Count);
    }

    [Fact]
    public async Task Proxy_that_remembers_nothing_has_no_traffic()
    {
        using var keeper = Keeper();
        _proxy.Tells = _ => null;

        var document = await keeper.ReportAsync(60, default);

        Assert.Empty(document.Revisions);
        Assert.Equal(_time.GetUtcNow(), document.Until);
    }

    [Fact]
    public async Task Full_disk_is_told_once_and_the_history_goes_on_in_memory()
    {
        _disk.IsFull = true;
        _proxy.Tells = _ => Recent(30, Release("a", [Point(29, 7)]));
        using var keeper = Keeper();
        using var stop = new CancellationTokenSource();
        var running = keeper.RunAsync(stop.Token);
        for (var i = 2; i <= 20; i++)
        {
            await TickAsync(i);
        }

        Assert.Single((await keeper.ReportAsync(10, default)).Revisions);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(LogLevel.Warning, Assert.Single(_log.GetSnapshot()).Level);
    }

    private async Task RunForAMomentAsync()
    {
        using var keeper = Keeper();
        using var stop = new CancellationTokenSource();
        var running = keeper.RunAsync(stop.Token);
        await Eventually.HoldsAsync("the Proxy was asked", () => _proxy.Asked.Count == 1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private async Task TickAsync(int calls)
    {
        _time.Advance(TimeSpan.FromSeconds(10));
        await Eventually.HoldsAsync($"the Proxy was asked {calls} times", () => _proxy.Asked.Count >= calls);
    }

    private TrafficKeeper Keeper() => new("shop", _proxy, "/state/traffic", _disk, _time, new FakeLogger<TrafficKeeper>(_log));

    private sealed class ToldTraffic : IProxyTraffic
    {
        public List<DateTimeOffset?> Asked { get; } = [];

        public Func<DateTimeOffset?, RecentTraffic?> Tells { get; set; } = _ => null;

        public Task<RecentTraffic?> GetTrafficAsync(string application, DateTimeOffset? since, CancellationToken cancellationToken)
        {
            Asked.Add(since);
            return Task.FromResult(Tells(since));
        }

        public Task<TrafficTotals?> GetTotalsAsync(string application, CancellationToken cancellationToken) => Task.FromResult<TrafficTotals?>(null);
    }
}
