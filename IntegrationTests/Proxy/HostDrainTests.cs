using System.Net;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A host that is taken out of service: load balancers are told, and nobody else notices.</summary>
public sealed class HostDrainTests : IAsyncLifetime
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string HealthCheck = "GET /status?full=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string Visit = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    private readonly RawBackend _backend = new();
    private RunningProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync();
        await _proxy.SwitchAsync(_backend.Address, "c1", snapshot => snapshot.Target = snapshot.Target! with { Probe = new HealthProbe { Path = "/status" } });
        _backend.AnswerAll(Ok);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Fact]
    public async Task Whoever_asks_for_the_health_is_told_that_the_host_is_not_ready_and_everybody_else_is_served()
    {
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.ExchangeAsync(HealthCheck), StringComparison.Ordinal);

        await SetAsync(HttpMethod.Put);

        Assert.StartsWith("HTTP/1.1 503 ", await _proxy.ExchangeAsync(HealthCheck), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.ExchangeAsync(Visit), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.ExchangeAsync("POST /status/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"), StringComparison.Ordinal);
        Assert.Equal(1, (await _proxy.StatusAsync()).HostDrain!.HealthChecks);
    }

    [Fact]
    public async Task Request_that_runs_when_the_host_is_taken_out_of_service_finishes()
    {
        await using var slow = new RawBackend { ExpectsProbe = true };
        await _proxy.SwitchAsync(slow.Address, "c2");
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(Visit);
        await using var application = await slow.AcceptedAsync();
        await application.ReadHeadAsync();

        await SetAsync(HttpMethod.Put);

        Assert.Equal(1, (await _proxy.StateAsync()).Targets[0].InFlight);
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_stays_out_of_service_through_restarts_of_the_proxy_until_it_is_brought_back()
    {
        var since = (await SetAsync(HttpMethod.Put))!.Since;
        await _proxy.RestartAsync();

        Assert.Equal(since, (await _proxy.StatusAsync()).HostDrain!.Since);
        Assert.StartsWith("HTTP/1.1 503 ", await _proxy.ExchangeAsync(HealthCheck), StringComparison.Ordinal);

        Assert.Null(await SetAsync(HttpMethod.Delete));
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.ExchangeAsync(HealthCheck), StringComparison.Ordinal);
        await _proxy.RestartAsync();
        Assert.Null((await _proxy.StatusAsync()).HostDrain);
    }

    [Fact]
    public async Task Order_that_is_given_twice_changes_nothing()
    {
        Assert.Null(await SetAsync(HttpMethod.Delete));
        var first = await SetAsync(HttpMethod.Put);

        Assert.Equal(first, await SetAsync(HttpMethod.Put));
    }

    [Fact]
    public async Task Latest_visit_is_told_and_health_checks_are_none()
    {
        await SetAsync(HttpMethod.Put);
        await _proxy.ExchangeAsync(HealthCheck);
        Assert.Null((await _proxy.StatusAsync()).HostDrain!.LastRequest);

        await _proxy.ExchangeAsync(Visit);

        var drain = (await _proxy.StatusAsync()).HostDrain!;
        Assert.True(drain.LastRequest >= drain.Since);
    }

    [Fact]
    public async Task Page_that_everybody_visits_is_no_health_check()
    {
        await using var other = new RawBackend();
        await _proxy.SwitchAsync(other.Address, "c2");
        other.AnswerAll(Ok);

        await SetAsync(HttpMethod.Put);

        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_check_is_told_in_maintenance_too()
    {
        var maintained = _proxy.SnapshotOf(RunningProxy.TargetAt(_backend.Address) with { Probe = new HealthProbe { Path = "/status" } });
        maintained.Maintenance = new MaintenancePage();
        maintained.HealthInMaintenance = HealthInMaintenance.Healthy;
        Assert.Equal(HttpStatusCode.OK, (await _proxy.PutAsync(maintained)).Status);
        await SetAsync(HttpMethod.Put);

        Assert.StartsWith("HTTP/1.1 503 ", await _proxy.ExchangeAsync(HealthCheck), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_can_not_be_kept_is_refused_and_changes_nothing()
    {
        Directory.CreateDirectory(Path.Combine(_proxy.Options.StateDirectory, "host-drain.json", "in-the-way"));

        var (status, body) = await _proxy.CallAsync(HttpMethod.Put, "/host-drain");

        Assert.Equal((HttpStatusCode.InsufficientStorage, ControlProblem.NotPersisted), (status, RunningProxy.ProblemIn(body).Type));
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.ExchangeAsync(HealthCheck), StringComparison.Ordinal);
    }

    private async Task<HostDrain?> SetAsync(HttpMethod method)
    {
        var (status, body) = await _proxy.CallAsync(method, "/host-drain");
        Assert.True(status == HttpStatusCode.OK, body);
        return (await _proxy.StatusAsync()).HostDrain;
    }
}
