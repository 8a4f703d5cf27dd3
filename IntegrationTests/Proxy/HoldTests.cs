using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class HoldTests
{
    private const string Get = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string Post = "POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody";
    private const string Upload = "PUT /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody";
    private const string Upgrade = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(150);

    [Theory]
    [InlineData(Get)]
    [InlineData(Post)]
    [InlineData(Upload)]
    [InlineData(Upgrade)]
    public async Task Requests_wait_while_the_application_is_away_and_go_on_when_it_is_back(string request)
    {
        await using var proxy = await RunningProxy.StartAsync();
        var address = await ServeAndEndAsync(proxy);
        var clients = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SendAsync(proxy, request)));
        await proxy.UntilAsync(state => state.Waiting == clients.Length);

        await using var back = new RawBackend(address) { ExpectsProbe = false };
        back.AnswerAll(Ok);

        foreach (var client in clients)
        {
            Assert.Contains("HTTP/1.1 200 ", await client.ReadUntilAsync("ok"), StringComparison.Ordinal);
            await client.DisposeAsync();
        }

        Assert.Equal(0, (await proxy.StateAsync()).Waiting);
    }

    [Fact]
    public async Task Request_that_has_waited_for_as_long_as_it_may_is_answered_with_502()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await ServeAndEndAsync(proxy, Short);

        Assert.StartsWith("HTTP/1.1 502 ", await proxy.ExchangeAsync(Get), StringComparison.Ordinal);
        Assert.Equal(0, (await proxy.StateAsync()).Waiting);
        Assert.Equal(1, (await proxy.StateAsync()).Total.ByStatus[502]);
    }

    [Fact]
    public async Task Waiting_requests_go_to_the_release_that_replaces_the_one_they_wait_for_and_hold_up_no_drain()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await ServeAndEndAsync(proxy);
        await using var client = await SendAsync(proxy, Get);
        await proxy.UntilAsync(state => state.Waiting == 1);
        await using var next = new RawBackend();
        next.AnswerAll(Ok);

        await proxy.SwitchAsync(next.Address, "c2", Wait);

        Assert.EndsWith("ok", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await proxy.StateAsync()).Targets[1].InFlight);
    }

    [Fact]
    public async Task Request_that_the_application_broke_off_waits_for_it_and_is_sent_once_more()
    {
        await using var proxy = await RunningProxy.StartAsync();
        var backend = new RawBackend();
        var address = backend.Address;
        await proxy.SwitchAsync(address, "c1", Wait);
        await using var client = await SendAsync(proxy, Get);
        await using var broken = await backend.AcceptedAsync();
        await broken.ReadHeadAsync();
        await backend.DisposeAsync();
        await broken.DisposeAsync();
        await proxy.UntilAsync(state => state.Waiting == 1);

        await using var back = new RawBackend(address) { ExpectsProbe = false };
        await (await back.AcceptedSendingAsync()).DisposeAsync();

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_may_not_be_sent_twice_is_not_sent_again()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", Wait);
        await using var client = await SendAsync(proxy, Post);
        var connection = await backend.AcceptedAsync();
        await connection.ReadMessageAsync();
        await connection.DisposeAsync();

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(1, backend.Accepted);
    }

    [Fact]
    public async Task No_more_requests_wait_than_there_is_room_for()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await ServeAndEndAsync(proxy);
        var waiting = await Task.WhenAll(Enumerable.Range(0, WaitingRoom.MaxRequests).Select(_ => SendAsync(proxy, Get)));
        await proxy.UntilAsync(state => state.Waiting == WaitingRoom.MaxRequests);

        var answer = await proxy.ExchangeAsync(Get);

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 1\r\n", answer, StringComparison.Ordinal);
        await Task.WhenAll(waiting.Select(client => client.DisposeAsync().AsTask()));
        await proxy.UntilAsync(state => state.Waiting == 0);
    }

    [Fact]
    public async Task No_more_bytes_wait_than_there_is_room_for()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await ServeAndEndAsync(proxy);
        const int Size = 24_000;
        var fits = (int)(WaitingRoom.MaxBytes / Size);
        var request = $"GET /a HTTP/1.1\r\nHost: a\r\nX-A: {new string('a', Size)}\r\nConnection: close\r\n\r\n";

        var waiting = await Task.WhenAll(Enumerable.Range(0, fits + 20).Select(_ => SendAsync(proxy, request)));
        var state = await proxy.UntilAsync(state => state.Total.ByStatus.GetValueOrDefault(503) >= 20);

        Assert.InRange(state.Waiting, fits - 20, fits);
        await Task.WhenAll(waiting.Select(client => client.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Requests_wait_in_a_pause_and_those_that_run_go_on()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", Wait);
        await using var running = await SendAsync(proxy, Get);
        await using var connection = await backend.AcceptedSendingAsync();

        await proxy.SwitchAsync(backend.Address, "c1", Pause);
        await using var client = await SendAsync(proxy, Post);
        Assert.True((await proxy.UntilAsync(state => state.Waiting == 1)).IsPaused);
        await connection.SendAsync(Ok);
        Assert.EndsWith("ok", await running.ReadToEndAsync(), StringComparison.Ordinal);
        await proxy.SwitchAsync(backend.Address, "c1", Wait);

        backend.AnswerAll(Ok);
        Assert.EndsWith("ok", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Single((await proxy.StateAsync()).Targets);
    }

    [Fact]
    public async Task Request_that_has_waited_in_a_pause_for_as_long_as_it_may_is_told_when_to_come_again()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", s => (s.IsPaused, s.HoldTimeout) = (true, Short));

        var answer = await proxy.ExchangeAsync(Get);

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 5\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, backend.Accepted);
    }

    [Fact]
    public async Task Pause_outlives_a_restart_of_the_Proxy()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", Pause);

        await proxy.RestartAsync();

        Assert.True((await proxy.StateAsync()).IsPaused);
    }

    [Theory]
    [InlineData(HealthInMaintenance.Application, false, "HTTP/1.1 201 ")]
    [InlineData(HealthInMaintenance.Application, true, "HTTP/1.1 201 ")]
    [InlineData(HealthInMaintenance.Healthy, false, "HTTP/1.1 200 ")]
    [InlineData(HealthInMaintenance.Healthy, true, "HTTP/1.1 200 ")]
    [InlineData(HealthInMaintenance.Unavailable, false, "HTTP/1.1 503 ")]
    [InlineData(HealthInMaintenance.Unavailable, true, "HTTP/1.1 503 ")]
    public async Task Health_check_is_answered_as_configured_while_others_wait_or_see_the_page(HealthInMaintenance health, bool isPaused, string expected)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        backend.AnswerAll("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        await proxy.SwitchAsync(backend.Address, "c1", snapshot =>
        {
            snapshot.Target!.Probe.Path = "/up?deep=1";
            (snapshot.IsPaused, snapshot.HoldTimeout, snapshot.HealthInMaintenance) = (isPaused, Short, health);
            snapshot.Maintenance = isPaused ? null : new MaintenancePage();
        });

        Assert.StartsWith(expected, await proxy.ExchangeAsync("GET /up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503 ", await proxy.ExchangeAsync("GET /upper HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_that_everybody_visits_is_no_path_for_health_checks_in_maintenance()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", snapshot => snapshot.Maintenance = new MaintenancePage());

        Assert.StartsWith("HTTP/1.1 503 ", await proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    private static void Wait(ApplicationSnapshot snapshot) => snapshot.HoldTimeout = Long;

    private static void Pause(ApplicationSnapshot snapshot) => (snapshot.IsPaused, snapshot.HoldTimeout) = (true, Long);

    private static async Task<IPEndPoint> ServeAndEndAsync(RunningProxy proxy, TimeSpan? limit = null)
    {
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", snapshot => snapshot.HoldTimeout = limit ?? Long);
        return backend.Address;
    }

    private static async Task<RawConnection> SendAsync(RunningProxy proxy, string request)
    {
        var client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        return client;
    }
}
