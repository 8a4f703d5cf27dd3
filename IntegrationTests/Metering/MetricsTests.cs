using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Metering;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Releases;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Metering;

/// <summary><c>GET /metrics</c> over a real Proxy.</summary>
public sealed partial class MetricsTests : IAsyncLifetime
{
    private const string Promtool = "/usr/bin/promtool";
    private const string Token = StandbyProxy.Token;
    private const string Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly ReconcilerCounts _counts = new();
    private readonly DeploymentCounts _deployments = new();
    private readonly FakeOperations _operations = new();
    private readonly RawBackend _backend = new();
    private RunningProxy _proxy = null!;
    private ProxyControlClient _control = null!;
    private AdminApi _api = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync();
        _control = new ProxyControlClient(_proxy.Options.ControlSocket, TimeProvider.System);
        _api = await StartAsync();
        _backend.AnswerAll(Answer);
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        _control.Dispose();
        await _proxy.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Fact]
    public async Task Promtool_finds_nothing_to_complain_about()
    {
        Assert.SkipUnless(File.Exists(Promtool), "promtool is not installed; the lab installs it.");
        await ServeEverythingAsync();

        await AssertNoComplaintAsync(await ScrapeAsync());

        Assert.NotEqual(0, (await CheckAsync("a{ 1\n")).ExitCode);
    }

    [Fact]
    public async Task Requests_are_told_by_revision_and_class_with_their_bytes_and_durations()
    {
        await ServeEverythingAsync();

        var text = await ScrapeAsync();

        const string release = "revision=\"c1\",release=\"r-c1\",code_class=\"2xx\"";
        Assert.Contains($"wunderproxy_requests_total{{{release}}} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_requests_total{revision=\"\",release=\"\",code_class=\"5xx\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"wunderproxy_response_body_bytes_total{{{release}}} 6\n", text, StringComparison.Ordinal);
        Assert.Contains($"wunderproxy_request_duration_seconds_bucket{{{release},le=\"+Inf\"}} 3\n", text, StringComparison.Ordinal);
        Assert.Contains($"wunderproxy_request_duration_seconds_count{{{release}}} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_requests_in_flight{revision=\"c1\",release=\"r-c1\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_proxy_up 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_client_connections{state=\"active\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_reconcile_errors_total{effect=\"Pull\",outcome=\"Transient\"} 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("outcome=\"Done\"", Assert.Single(text.Split('\n'), line => line.StartsWith("wunderproxy_reconcile_errors_total", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("wunderproxy_condition{type=\"StoreReachable\",status=\"false\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_condition{type=\"StoreReachable\",status=\"true\"} 0\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counters_of_traffic_go_on_where_the_controller_was_started_again()
    {
        await ServeEverythingAsync();
        await _api.DisposeAsync();
        _api = await StartAsync();

        Assert.Contains("wunderproxy_requests_total{revision=\"c1\",release=\"r-c1\",code_class=\"2xx\"} 3\n", await ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counter_of_a_release_never_falls_however_often_its_container_is_started_again_and_releases_are_bounded()
    {
        await _proxy.SwitchAsync(_backend.Address);
        await AskAsync();
        await CountedAsync("revision=\"c1\",release=\"r-c1\"", 1);
        for (var i = 0; i < 20; i++)
        {
            var target = RunningProxy.TargetAt(_backend.Address) with { StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(i + 1) };
            await _proxy.PutAsync(_proxy.SnapshotOf(target));
        }

        await AskAsync();
        await CountedAsync("revision=\"c1\",release=\"r-c1\"", 2);
        for (var i = 0; i < 20; i++)
        {
            await _proxy.SwitchAsync(_backend.Address, $"other{i}");
        }

        Assert.Equal(16, Releases().Count(await ScrapeAsync()));
    }

    [Fact]
    public async Task Release_that_stands_by_has_its_share_its_visits_and_series_of_its_own()
    {
        await using var next = await StandbyProxy.StartBackendAsync(StandbyProxy.StandbyName);
        await StandByAsync(next, percent: 100);
        await AskAsync();
        await AskAsync(Token);
        await CountedAsync("revision=\"c2\",release=\"r-c2\"", 2);
        await next.DisposeAsync();
        await AskAsync();

        var text = await ScrapeAsync();

        const string release = "revision=\"c2\",release=\"r-c2\"";
        Assert.Contains($"wunderproxy_standby_share_ratio{{{release}}} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"wunderproxy_standby_requests_total{{{release},kind=\"preview\"}} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"wunderproxy_standby_requests_total{{{release},kind=\"canary\"}} 1\n", text, StringComparison.Ordinal);
        Assert.Contains($"wunderproxy_standby_requests_total{{{release},kind=\"sent_back\"}} 1\n", text, StringComparison.Ordinal);
        await CountedAsync("revision=\"c1\",release=\"r-c1\"", 1);
        await AssertNoComplaintAsync(text);
    }

    [Fact]
    public async Task Drain_is_told_by_release_and_kind_until_nothing_runs_on_the_replaced_one()
    {
        await using var former = new RawBackend();
        await using var client = await DrainAsync(former);
        await using var application = await former.AcceptedSendingAsync();
        await _proxy.SwitchAsync(_backend.Address, "c2", snapshot => snapshot.DrainTimeout = TimeSpan.FromMinutes(1));

        var text = await ScrapeAsync();

        Assert.Contains("wunderproxy_draining_targets 1\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_draining_requests{revision=\"c1\",release=\"r-c1\",kind=\"Plain\"} 1\n", text, StringComparison.Ordinal);
        Assert.InRange(DeadlineIn(text) - TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), 30, 61);
        await AssertNoComplaintAsync(text);
        await application.SendAsync(Answer);
        await client.ReadMessageAsync();
        await Eventually.HoldsAsync("nothing drains", async _ => await ScrapeAsync() is var later
            && later.Contains("wunderproxy_draining_targets 0\n", StringComparison.Ordinal) && !later.Contains("wunderproxy_drain_deadline", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Proxy_that_is_not_reached_is_told_and_the_rest_stays()
    {
        await _api.DisposeAsync();
        using var absent = new ProxyControlClient(_proxy.Options.ControlSocket + ".absent", TimeProvider.System);
        _api = await StartAsync(absent);

        var text = await ScrapeAsync();

        Assert.Contains("wunderproxy_proxy_up 0\n", text, StringComparison.Ordinal);
        Assert.Contains("wunderproxy_build_info{application=\"shop\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("wunderproxy_requests_total", text, StringComparison.Ordinal);
    }

    private async Task ServeEverythingAsync()
    {
        await _proxy.PutAsync(_proxy.SnapshotOf(null));
        await AskAsync();
        await _proxy.SwitchAsync(_backend.Address);
        for (var i = 0; i < 3; i++)
        {
            await AskAsync();
        }

        await CountedAsync("revision=\"c1\",release=\"r-c1\"", 3);
        _counts.PassEnded(TimeSpan.FromMilliseconds(3));
        _counts.EffectEnded("Pull", Outcome.Transient);
        _counts.EffectEnded("Pull", Outcome.Done);
        _deployments.Ended(DeploymentCountsTests.Deployment("d1", 10, (ReleasePhase.Accepted, 0), (ReleasePhase.Pulling, 1)));
        _operations.Status = _operations.Status with { Conditions = [new Condition("StoreReachable", false, "Unreachable", "Away.", default), new Condition("Ready", null, "Unknown", "", default)] };
    }

    private async Task StandByAsync(GrpcBackend next, int percent)
    {
        var snapshot = _proxy.SnapshotOf(RunningProxy.TargetAt(_backend.Address));
        snapshot.Standby = new Standby
        {
            Target = RunningProxy.TargetAt(next.Address, "c2"),
            Preview = new Preview { TokenHashes = [StandbyProxy.HashOf(Token)] },
            Canary = new Canary { Percent = percent, Key = StandbyProxy.Key },
        };
        var (status, body) = await _proxy.PutAsync(snapshot);
        Assert.True(status == HttpStatusCode.OK, body);
    }

    private async Task<RawConnection> DrainAsync(RawBackend former)
    {
        await _proxy.SwitchAsync(former.Address);
        var client = await _proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        return client;
    }

    private static double DeadlineIn(string text) => double.Parse(
        Assert.Single(text.Split('\n'), line => line.StartsWith("wunderproxy_drain_deadline_timestamp_seconds{", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    private async Task AskAsync(string? token = null)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add(Preview.Header, token);
        using var answer = await client.GetAsync(new Uri($"http://{_proxy.Address}/"));
        Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable });
    }

    // A request is counted a moment after its last byte.
    private Task CountedAsync(string labels, int requests) => Eventually.HoldsAsync(
        $"{requests} requests are counted", async _ => (await ScrapeAsync()).Contains($"wunderproxy_requests_total{{{labels},code_class=\"2xx\"}} {requests}\n", StringComparison.Ordinal));

    private async Task<string> ScrapeAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri(_api.BoundAddress) };
        using var answer = await client.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal((HttpStatusCode.OK, "text/plain; version=0.0.4; charset=utf-8"), (answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        return await answer.Content.ReadAsStringAsync();
    }

    private Task<AdminApi> StartAsync() => StartAsync(_control);

    private Task<AdminApi> StartAsync(ProxyControlClient control) => AdminApi.StartAsync(
        new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))) { Further = new MetricsCalls(new Metrics("shop", () => _operations.Status, control, control, _counts, _deployments).ReportAsync).Map },
        _operations,
        Task.CompletedTask,
        TimeProvider.System,
        NullLoggerFactory.Instance,
        default);

    private static async Task AssertNoComplaintAsync(string text)
    {
        if (File.Exists(Promtool))
        {
            var (exitCode, output) = await CheckAsync(text);
            Assert.True(exitCode == 0 && output.Length == 0, output);
        }
    }

    private static async Task<(int ExitCode, string Output)> CheckAsync(string text)
    {
        using var promtool = Process.Start(new ProcessStartInfo(Promtool, ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        await promtool.StandardInput.WriteAsync(text);
        promtool.StandardInput.Close();
        var output = await promtool.StandardOutput.ReadToEndAsync() + await promtool.StandardError.ReadToEndAsync();
        await promtool.WaitForExitAsync();
        return (promtool.ExitCode, output);
    }

    [GeneratedRegex("^wunderproxy_requests_in_flight", RegexOptions.Multiline, 1000)]
    private static partial Regex Releases();
}
