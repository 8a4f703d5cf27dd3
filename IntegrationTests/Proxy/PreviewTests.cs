using System.Net;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class PreviewTests : IAsyncLifetime
{
    private StandbyProxy _shop = null!;

    public async ValueTask InitializeAsync() => _shop = await StandbyProxy.StartAsync(options => options with { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] });

    public ValueTask DisposeAsync() => _shop.DisposeAsync();

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Caller_with_a_token_sees_the_release_that_stands_by_and_is_told_which_it_is(string version)
    {
        await _shop.ServeAsync(_shop.Snapshot());
        using var client = _shop.Client(Version.Parse(version));

        using var answer = await AskAsync(client, (Preview.Header, StandbyProxy.Token));

        Assert.Equal(StandbyProxy.StandbyName, await answer.Content.ReadAsStringAsync());
        Assert.Equal("r-standby", answer.Headers.GetValues(Preview.Header).Single());
        Assert.Equal("nothing-else", answer.Headers.GetValues(StandbyProxy.Got).Single());
    }

    [Theory]
    [InlineData(Preview.Header, "a-token-of-more-than-16-characterS")]
    [InlineData(Preview.Header, "short")]
    [InlineData(Preview.Header, "")]
    [InlineData("wunderproxy_preview", StandbyProxy.Token)]
    [InlineData("X-Other", StandbyProxy.Token)]
    public async Task Stranger_gets_the_active_release_which_never_sees_the_header(string name, string value)
    {
        await _shop.ServeAsync(_shop.Snapshot());

        using var answer = await AskAsync(_shop.Client(), (name, value));

        Assert.Equal(StandbyProxy.ActiveName, await answer.Content.ReadAsStringAsync());
        Assert.False(answer.Headers.Contains(Preview.Header));
        Assert.Equal("nothing-else", answer.Headers.GetValues(StandbyProxy.Got).Single());
    }

    [Fact]
    public async Task Two_tokens_at_once_are_none()
    {
        await _shop.ServeAsync(_shop.Snapshot());

        var answer = await _shop.Proxy.ExchangeAsync(
            $"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{Preview.Header}: {StandbyProxy.Token}\r\n{Preview.Header}: {StandbyProxy.Token}\r\n\r\n");

        Assert.Contains(StandbyProxy.ActiveName, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_never_reaches_an_application_of_which_no_release_stands_by()
    {
        using var answer = await AskAsync(_shop.Client(), (Preview.Header, StandbyProxy.Token));

        Assert.Equal(StandbyProxy.ActiveName, await answer.Content.ReadAsStringAsync());
        Assert.Equal("nothing-else", answer.Headers.GetValues(StandbyProxy.Got).Single());
    }

    [Theory]
    [InlineData("preview.shop.example", "10.1.2.3", StandbyProxy.StandbyName)]
    [InlineData("PREVIEW.shop.example:8080", "10.1.2.3", StandbyProxy.StandbyName)]
    [InlineData("a.previews.example", "2001:db8::7", StandbyProxy.StandbyName)]
    [InlineData("preview.shop.example", "11.1.2.3", StandbyProxy.ActiveName)]
    [InlineData("shop.example", "10.1.2.3", StandbyProxy.ActiveName)]
    public async Task Clients_of_some_networks_see_it_under_some_hosts(string host, string client, string release)
    {
        await _shop.ServeAsync(_shop.Snapshot(standby => standby.Preview = new Preview { Hosts = ["preview.shop.example", "*.previews.example"], Clients = ["10.0.0.0/8", "2001:db8::/32"] }));

        using var answer = await AskAsync(_shop.Client(), ("Host", host), ("X-Forwarded-For", client));

        Assert.Equal(release, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Before_the_first_switch_who_may_sees_the_release_and_everybody_else_is_told_to_come_again()
    {
        await using var first = await RunningProxy.StartAsync();
        var snapshot = _shop.Snapshot();
        snapshot.Target = null;
        Assert.Equal(HttpStatusCode.OK, (await first.PutAsync(snapshot)).Status);

        var preview = await first.ExchangeAsync($"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{Preview.Header}: {StandbyProxy.Token}\r\n\r\n");
        var other = await first.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.EndsWith(StandbyProxy.StandbyName, preview, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503 ", other, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maintenance_lets_previews_through_and_nobody_else()
    {
        var snapshot = _shop.Share(100);
        snapshot.Maintenance = new MaintenancePage { Body = "down" };
        await _shop.ServeAsync(snapshot);

        using var preview = await AskAsync(_shop.Client(), (Preview.Header, StandbyProxy.Token));
        using var other = await AskAsync(_shop.Client());

        Assert.Equal((HttpStatusCode.OK, StandbyProxy.StandbyName), (preview.StatusCode, await preview.Content.ReadAsStringAsync()));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, other.StatusCode);
        Assert.False(other.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Preview_of_a_release_that_is_away_gets_the_maintenance_page_while_it_is_up()
    {
        var snapshot = _shop.Snapshot();
        snapshot.Maintenance = new MaintenancePage { Body = "down" };
        await _shop.ServeAsync(snapshot);
        await _shop.EndStandbyAsync();

        using var preview = await AskAsync(_shop.Client(), (Preview.Header, StandbyProxy.Token));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, preview.StatusCode);
    }

    [Fact]
    public async Task Status_counts_previews_by_release_and_shows_no_secret()
    {
        await _shop.ServeAsync(_shop.Share(50));
        (await AskAsync(_shop.Client(), (Preview.Header, StandbyProxy.Token))).Dispose();

        var state = await _shop.Proxy.UntilAsync(s => s.Targets.Any(t => t.Standby is { Previews: 1 }));

        Assert.Equal((1, 0), (Of(state, StandbyProxy.StandbyName).Traffic.Requests, Of(state, StandbyProxy.ActiveName).Traffic.Requests));
        Assert.Equal(("r-standby", 50), (state.Standby!.Target.Release, state.Standby.Percent));
        var told = JsonSerializer.Serialize(await _shop.Proxy.StatusAsync(), ContractsJson.Default.ProxyStatus) + _shop.Snapshot() + _shop.Share(1);
        Assert.DoesNotContain(Convert.ToBase64String(StandbyProxy.Key), told, StringComparison.Ordinal);
        Assert.DoesNotContain(StandbyProxy.HashOf(StandbyProxy.Token), told, StringComparison.Ordinal);
        Assert.DoesNotContain(StandbyProxy.Token, told, StringComparison.Ordinal);
    }

    [Fact]
    public void Snapshot_without_a_standby_is_one_that_older_proxies_take() =>
        Assert.DoesNotContain("Standby", JsonSerializer.Serialize(_shop.Proxy.SnapshotOf(null), ContractsJson.Default.ApplicationSnapshot), StringComparison.Ordinal);

    private static TargetTraffic Of(ApplicationState state, string name) => state.Targets.Single(target => target.Target.Revision == name);

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using (client)
        {
            return await client.SendAsync(request);
        }
    }
}
