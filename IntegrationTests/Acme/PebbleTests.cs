using Wunderproxy.Controller.Acme;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>Certificates from a real ACME server, which validates over real sockets.</summary>
[Trait("Needs", "Lab")]
public sealed class PebbleTests : IAsyncLifetime
{
    private const string Host = "shop.example";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-acme-");
    private readonly List<IAsyncDisposable> _started = [];
    private readonly IObjectStore _store;
    private Pebble _pebble = null!;

    public PebbleTests() => _store = DirectoryStore.Open(_folder.FullName, new StoreOptions());

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var started in _started)
            await started.DisposeAsync();
        if (_pebble is not null)
            await _pebble.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(AcmeOptions.Http)]
    [InlineData(AcmeOptions.TlsAlpn)]
    public async Task Certificate_is_obtained_and_shown_by_either_challenge(string challenge)
    {
        _pebble = await Pebble.StartAsync();
        var host = await StartHostAsync(options => options with { Challenges = [challenge] });
        Assert.Null(await host.ShownAsync(Host));

        host.Keep();
        await host.UntilAsync(Host, certificate => certificate.IsInForce);

        Assert.True((await host.ShownAsync(Host))!.MatchesHostname(Host));
        Assert.Single(host.Logged, line => line.StartsWith($"Obtained a certificate for {Host}, valid until ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(AcmeOptions.Http)]
    [InlineData(AcmeOptions.TlsAlpn)]
    public async Task One_of_two_hosts_issues_the_other_one_answers_the_validator_and_both_show_the_certificate(string challenge)
    {
        _pebble = await Pebble.StartAsync(address: "127.0.0.2");
        var first = await StartHostAsync(options => options with { Challenges = [challenge], NewHostDelay = TimeSpan.FromSeconds(3) }, "127.0.0.1", "a.example", "b.example");
        var second = await StartHostAsync(options => options with { Challenges = [challenge], NewHostDelay = TimeSpan.FromHours(1) }, "127.0.0.2", "a.example", "b.example");

        second.Keep();
        first.Keep();

        foreach (var name in new[] { "a.example", "b.example" })
        {
            await first.UntilAsync(name, certificate => certificate.IsInForce);
            await second.UntilAsync(name, certificate => certificate.IsInForce);
            Assert.Equal((await first.ShownAsync(name))!.Thumbprint, (await second.ShownAsync(name))!.Thumbprint);
        }

        Assert.Equal(2, first.Logged.Concat(second.Logged).Count(line => line.StartsWith("Ordered", StringComparison.Ordinal)));
        Assert.DoesNotContain(second.Logged, line => line.StartsWith("Ordered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Order_of_a_host_that_stops_is_finished_by_another_one()
    {
        _pebble = await Pebble.StartAsync(address: "127.0.0.2", environment: ("PEBBLE_VA_SLEEPTIME", "3"));
        var stopping = await StartHostAsync(options => options with { NewHostDelay = TimeSpan.FromSeconds(3) }, "127.0.0.1");
        var other = await StartHostAsync(options => options with { NewHostDelay = TimeSpan.FromHours(1) }, "127.0.0.2");
        other.Keep();
        stopping.Keep();

        await stopping.UntilAsync(Host, certificate => certificate.Order is not null);
        await stopping.StopKeepingAsync();

        await other.UntilAsync(Host, certificate => certificate.IsInForce);
        Assert.Single(stopping.Logged, line => line.StartsWith("Ordered", StringComparison.Ordinal));
        Assert.Single(other.Logged, line => line.StartsWith("Obtained", StringComparison.Ordinal));
        Assert.DoesNotContain(other.Logged, line => line.StartsWith("Ordered", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nonces_that_are_refused_are_replaced()
    {
        _pebble = await Pebble.StartAsync(environment: ("PEBBLE_WFE_NONCEREJECT", "40"));
        var host = await StartHostAsync();

        host.Keep();

        await host.UntilAsync(Host, certificate => certificate.IsInForce);
    }

    [Fact]
    public async Task Renewal_comes_at_two_thirds_of_life_and_no_connection_ends_for_it()
    {
        _pebble = await Pebble.StartAsync(lifetime: TimeSpan.FromSeconds(15));
        var host = await StartHostAsync();
        host.Keep();
        await host.UntilAsync(Host, certificate => certificate.IsInForce);
        var former = host.Status(Host);
        await using var client = await host.ConnectAsync(Host);
        Assert.Contains("HTTP/1.1 503", await client.AskAsync(), StringComparison.Ordinal);

        await host.UntilAsync(Host, certificate => certificate.IsInForce && certificate.NotAfter > former.NotAfter);

        Assert.InRange((former.RenewAt - former.NotAfter)!.Value.TotalSeconds, -15 * 0.4, -15 * 0.3);
        Assert.InRange(TimeProvider.System.GetUtcNow(), former.RenewAt!.Value, former.NotAfter!.Value);
        Assert.Contains("HTTP/1.1 503", await client.AskAsync(), StringComparison.Ordinal);
        Assert.Equal(host.Status(Host).NotAfter, (await host.ShownAsync(Host))!.NotAfter.ToUniversalTime());
    }

    [Fact]
    public async Task Host_that_can_not_be_validated_is_told_of_tried_again_by_the_other_challenge_and_keeps_its_certificate()
    {
        _pebble = await Pebble.StartAsync(lifetime: TimeSpan.FromSeconds(15), environment: ("PEBBLE_AUTHZREUSE", "0"));
        var host = await StartHostAsync();
        host.Keep();
        await host.UntilAsync(Host, certificate => certificate.IsInForce);
        var shown = await host.ShownAsync(Host);

        await _pebble.MoveHostsAsync("127.0.0.9");
        await host.UntilAsync(Host, certificate => certificate.Failures >= 2);

        var status = host.Status(Host);
        Assert.Contains("127.0.0.9", status.LastError, StringComparison.Ordinal);
        Assert.True(status.NextTry > TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(2));
        Assert.Equal(shown!.Thumbprint, (await host.ShownAsync(Host))!.Thumbprint);
        Assert.Equal(["http-01", "tls-alpn-01"], host.Logged.Where(line => line.StartsWith("Could not obtain", StringComparison.Ordinal)).Take(2).Select(line => line.Split("at ")[1].Split("Z. ")[1].Split(':')[0]));
        await _pebble.MoveHostsAsync("127.0.0.1");
        await host.UntilAsync(Host, certificate => certificate is { Failures: 0, LastError: null } && certificate.NotAfter > status.NotAfter);
    }

    [Fact]
    public async Task Server_that_forgets_everything_in_the_middle_of_an_order_is_asked_anew()
    {
        _pebble = await Pebble.StartAsync(environment: [("PEBBLE_VA_NOSLEEP", "0"), ("PEBBLE_VA_SLEEPTIME", "5")]);
        var host = await StartHostAsync();
        host.Keep();
        await host.UntilAsync(Host, certificate => certificate.Order is not null);

        await _pebble.StopAsync();
        await host.UntilAsync(Host, certificate => certificate.LastError?.Contains("isn't reached", StringComparison.Ordinal) == true);
        await _pebble.StartAsync();

        await host.UntilAsync(Host, certificate => certificate is { IsInForce: true, LastError: null }, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Name_is_obtained_when_a_client_asks_for_it_if_it_is_allowed_and_never_else()
    {
        _pebble = await Pebble.StartAsync();
        var host = await StartHostAsync(options => options with { Allowed = ["*.customers.example"] });
        host.Wanted = new WantedCertificates([], [], OnDemand: true);
        host.Keep();
        await Eventually.HoldsAsync("the Proxy knows", async _ => (await host.AskAsync("one.customers.example", "/.well-known/acme-challenge/x")).StartsWith("HTTP/1.1 ", StringComparison.Ordinal));

        var (allowed, refused) = (host.ShownAsync("one.customers.example"), host.ShownAsync("stranger.example"));

        Assert.True((await allowed)!.MatchesHostname("one.customers.example"));
        Assert.Null(await refused);
        Assert.Equal(["one.customers.example"], host.Keeper.Report().Select(certificate => certificate.Host));
    }

    [Fact]
    public async Task Certificate_is_shown_after_a_restart_of_the_proxy_with_controller_and_server_away()
    {
        _pebble = await Pebble.StartAsync();
        var host = await StartHostAsync();
        host.Keep();
        await host.UntilAsync(Host, certificate => certificate.IsInForce);
        await host.StopKeepingAsync();
        await _pebble.StopAsync();

        await host.Proxy.RestartAsync();

        Assert.NotNull(await host.ShownAsync(Host));
    }

    private async Task<AcmeHost> StartHostAsync(Func<AcmeOptions, AcmeOptions>? change = null, string address = "127.0.0.1", params string[] hosts)
    {
        var options = new AcmeOptions { Directory = _pebble.DirectoryAddress, Authorities = _pebble.Authorities, Contact = ["mailto:admin@shop.example"], AwayRetry = TimeSpan.FromSeconds(1), FirstRetry = TimeSpan.FromSeconds(1), NewHostDelay = TimeSpan.Zero };
        options = change?.Invoke(options) ?? options;
        var host = await AcmeHost.StartAsync(
            _store, options, AcmeClient.Handler(options.Authorities), $"{address}:{_pebble.HttpPort}", $"{address}:{_pebble.TlsPort}", null, hosts is [] ? [Host] : hosts);
        _started.Add(host);
        return host;
    }
}
