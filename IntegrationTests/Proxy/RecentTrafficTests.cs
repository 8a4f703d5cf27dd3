using System.Net;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class RecentTrafficTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public async Task Traffic_of_each_release_and_of_no_release_is_told_with_the_switches_between_them()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var first = new RawBackend();
        await using var second = new RawBackend();
        var before = TimeProvider.System.GetUtcNow();
        await proxy.PutAsync(proxy.SnapshotOf(null));
        await AskAsync(proxy, null);
        await proxy.SwitchAsync(first.Address, "c1");
        await AskAsync(proxy, first);
        await AskAsync(proxy, first);
        await proxy.SwitchAsync(second.Address, "c2");
        await AskAsync(proxy, second);

        var recent = await CountedAsync(proxy, 4);

        Assert.Equal(["r-c2", "r-c1", null], recent.Releases.Select(release => release.Release));
        Assert.Equal(["c2", "c1", ""], recent.Releases.Select(release => release.Revision));
        Assert.Equal([(1, 2), (2, 2), (1, 5)], recent.Releases.Select(release => (release.Seconds.Sum(point => point.Requests), release.Seconds[0].ByClass.Keys.Single())));
        Assert.All(recent.Releases, release => Assert.Equal(release.Seconds.Sum(point => point.BytesOut), release.TenSeconds.Sum(point => point.BytesOut)));
        Assert.Equal(["r-c1", "r-c2"], recent.Switches.Select(moved => moved.Hash));
        Assert.All(recent.Switches, moved => Assert.InRange(moved.At, before, recent.Until));
        Assert.All(recent.Releases.SelectMany(release => release.Seconds), point => Assert.InRange(point.At, before.AddSeconds(-1), recent.Until));
    }

    [Fact]
    public async Task Release_that_stands_by_counts_as_a_switch_once_it_gets_the_traffic()
    {
        await using var shop = await StandbyProxy.StartAsync();
        await shop.ServeAsync(shop.Share(100));
        Assert.Single((await RecentAsync(shop.Proxy)).Switches);
        var before = TimeProvider.System.GetUtcNow();

        await shop.Proxy.SwitchAsync(shop.Standby.Address, StandbyProxy.StandbyName);

        var moved = (await RecentAsync(shop.Proxy)).Switches;
        Assert.Equal([StandbyProxy.ActiveName, StandbyProxy.StandbyName], moved.Select(one => one.Revision));
        Assert.True(moved[1].At >= before);
    }

    [Fact]
    public async Task What_is_told_begins_with_the_step_that_was_asked_for()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await proxy.PutAsync(proxy.SnapshotOf(null));
        await AskAsync(proxy, null);

        var at = (await CountedAsync(proxy, 1)).Until;

        Assert.Single((await RecentAsync(proxy, at.AddSeconds(-60))).Releases);
        Assert.Empty((await RecentAsync(proxy, at.AddSeconds(60))).Releases);
    }

    [Fact]
    public async Task Proxy_that_was_ended_in_order_has_its_successor_tell_what_it_counted()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await proxy.PutAsync(proxy.SnapshotOf(null));
        await AskAsync(proxy, null);
        var counted = await CountedAsync(proxy, 1);
        await proxy.Host.StopAsync(default);
        await proxy.RestartAsync();

        var recent = await RecentAsync(proxy);

        Assert.Empty(recent.Releases);
        Assert.NotEqual(counted.CountingSince, recent.CountingSince);
        Assert.Equal(counted.CountingSince, recent.Former!.CountingSince);
        Assert.Equivalent(counted.Releases, recent.Former.Releases);
        Assert.Null((await RecentAsync(proxy, counted.Until.AddSeconds(60))).Former);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(proxy.Options.StateDirectory, "traffic.json")));
    }

    [Fact]
    public async Task File_of_the_former_traffic_that_is_damaged_hinders_nothing()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await proxy.PutAsync(proxy.SnapshotOf(null));
        await proxy.Host.StopAsync(default);
        await File.AppendAllTextAsync(Path.Combine(proxy.Options.StateDirectory, "traffic.json"), "}");
        await proxy.RestartAsync();

        Assert.Null((await RecentAsync(proxy)).Former);
    }

    [Fact]
    public async Task Requests_before_anything_was_deployed_are_those_without_a_release()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AskAsync(proxy, null);

        var release = Assert.Single((await CountedAsync(proxy, 1)).Releases);

        Assert.Equal((null, 5), (release.Release, release.Seconds[0].ByClass.Keys.Single()));
    }

    [Theory]
    [InlineData("/applications/nobody/traffic", HttpStatusCode.NotFound)]
    [InlineData("/applications/shop/traffic?since=yesterday", HttpStatusCode.BadRequest)]
    public async Task Unknown_application_and_unreadable_time_are_refused(string path, HttpStatusCode expected)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await proxy.PutAsync(proxy.SnapshotOf(null));

        Assert.Equal(expected, (await proxy.CallAsync(HttpMethod.Get, path)).Status);
    }

    private static async Task AskAsync(RunningProxy proxy, RawBackend? backend)
    {
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(Get);
        if (backend is not null)
        {
            await using var application = await backend.AcceptedAsync();
            await application.ReadHeadAsync();
            await application.SendAsync(Answer);
        }

        await client.ReadHeadAsync();
    }

    // A request is counted a moment after its last byte.
    private static Task<RecentTraffic> CountedAsync(RunningProxy proxy, long requests) => Eventually.FindAsync(
        $"{requests} requests are counted",
        async _ => await RecentAsync(proxy) is var recent && recent.Releases.SelectMany(release => release.Seconds).Sum(point => point.Requests) == requests ? recent : null);

    private static async Task<RecentTraffic> RecentAsync(RunningProxy proxy, DateTimeOffset? since = null) => JsonSerializer.Deserialize(
        (await proxy.CallAsync(HttpMethod.Get, $"/applications/shop/traffic?since={since?.ToUnixTimeSeconds() ?? 0}")).Body, ContractsJson.Default.RecentTraffic)!;
}
