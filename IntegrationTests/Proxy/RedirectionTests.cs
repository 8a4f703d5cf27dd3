using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Requests that are sent to another address of their application.</summary>
public sealed class RedirectionTests : ServedTests
{
    private static readonly Redirect Https = new() { Https = true };
    private static readonly Redirect WithWww = new() { Www = WwwRedirect.Add };
    private static readonly Redirect WithoutWww = new() { Www = WwwRedirect.Remove };
    private static readonly Routing Routing = new() { Hosts = ["shop.example", "WWW.shop.example", "api.shop.example", "*.tenant.example", "www.lone.example"] };

    public static TheoryData<Redirect, string, string, string, string?> Addresses => new()
    {
        { Https, "http", "shop.example", "/a?b=%2f&c", "https://shop.example/a?b=%2f&c" },
        { Https, "http", "shop.example:8080", "/", "https://shop.example/" },
        { Https, "http", "[::1]:8080", "/", "https://[::1]/" },
        { Https, "http", "shop.example", "?a", "https://shop.example/?a" },
        { Https, "http", "shop.example", "//evil.example/", "https://shop.example//evil.example/" },
        { Https, "https", "shop.example", "/", null },
        { Https, "http", "", "/", null },
        { Https, "http", "shop.example", "/.well-known/acme-challenge/x", null },
        { Https, "http", "shop.example", "/.well-known/acme-challenges", "https://shop.example/.well-known/acme-challenges" },
        { WithWww, "http", "shop.example", "/a?b", "http://www.shop.example/a?b" },
        { WithWww, "https", "Shop.Example:8443", "/", "https://www.Shop.Example:8443/" },
        { WithWww, "https", "shop.example.", "/", "https://www.shop.example/" },
        { WithWww, "http", "www.shop.example", "/", null },
        { WithWww, "http", "api.shop.example", "/", null },
        { WithWww, "http", "a.tenant.example", "/", null },
        { WithWww, "http", "shop.example", "/.well-known/acme-challenge/x", null },
        { WithoutWww, "http", "www.shop.example", "/", "http://shop.example/" },
        { WithoutWww, "http", "www.shop.example:8080", "/", "http://shop.example:8080/" },
        { WithoutWww, "http", "shop.example", "/", null },
        { WithoutWww, "http", "www.lone.example", "/", null },
        { WithoutWww, "http", "www.tenant.example", "/", null },
        { new Redirect { Https = true, Www = WwwRedirect.Remove }, "http", "www.shop.example:80", "/a", "https://shop.example/a" },
        { new Redirect { Https = true, Www = WwwRedirect.Remove }, "https", "www.shop.example", "/a", "https://shop.example/a" },
        { new Redirect(), "http", "shop.example", "/", null },
    };

    [Theory]
    [MemberData(nameof(Addresses))]
    public void Address_that_does_not_count_is_sent_to_the_one_that_does(Redirect redirect, string scheme, string host, string target, string? expected) =>
        Assert.Equal(expected, Redirection.LocationOf(redirect, Routing, scheme, host, target));

    [Theory]
    [InlineData("GET", "301 Moved Permanently")]
    [InlineData("HEAD", "301 Moved Permanently")]
    [InlineData("POST", "308 Permanent Redirect")]
    [InlineData("DELETE", "308 Permanent Redirect")]
    public async Task Redirect_keeps_the_method_and_is_not_kept_for_ever(string method, string status)
    {
        await ServeAsync(Https);

        var answer = await Proxy.ExchangeAsync($"{method} /a?b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nLocation: https://shop.example/a?b\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nCache-Control: max-age=3600\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, Backend.Accepted);
    }

    [Fact]
    public async Task Redirect_is_the_same_for_a_stream()
    {
        await ServeAsync(Https);
        using var client = new Http2Client(Proxy.Address);

        using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/a?b") { Headers = { Host = "shop.example" } });

        Assert.Equal((301, "https://shop.example/a?b"), ((int)answer.StatusCode, answer.Headers.Location!.ToString()));
    }

    [Theory]
    [InlineData("/.well-known/acme-challenge/token")]
    [InlineData("/up")]
    [InlineData("/up?from=balancer")]
    public async Task Challenges_and_health_checks_are_never_sent_elsewhere(string path)
    {
        await ServeAsync(Https);
        Backend.AnswerAll(Ok);

        Assert.EndsWith("ok", await AskAsync(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_is_sent_to_https_also_while_maintenance_is_up()
    {
        await ServeAsync(Https, snapshot => snapshot.Maintenance = new MaintenancePage());

        Assert.StartsWith("HTTP/1.1 301 ", await AskAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_untrusted_client_says_of_its_scheme_counts_for_nothing()
    {
        await ServeAsync(Https);

        Assert.StartsWith("HTTP/1.1 301 ", await AskAsync("/", "X-Forwarded-Proto: https\r\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https", false)]
    [InlineData("HTTPS", false)]
    [InlineData("https, http", false)]
    [InlineData("http", true)]
    [InlineData("http, https", true)]
    public async Task What_a_trusted_proxy_says_of_the_clients_scheme_counts(string said, bool isSentElsewhere)
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { TrustedProxies = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", snapshot => snapshot.Routing = new Routing { Redirect = Https });
        backend.AnswerAll(Ok);

        var answer = await proxy.ExchangeAsync($"GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Proto: {said}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith(isSentElsewhere ? "HTTP/1.1 301 " : "HTTP/1.1 200 ", answer, StringComparison.Ordinal);
    }

    private Task<string> AskAsync(string path, string header = "") =>
        Proxy.ExchangeAsync($"GET {path} HTTP/1.1\r\nHost: shop.example\r\n{header}Connection: close\r\n\r\n");

    private async Task ServeAsync(Redirect redirect, Action<ApplicationSnapshot>? change = null)
    {
        // Another container, for the path of its health check is part of it.
        Backend.ExpectsProbe = true;
        await Proxy.SwitchAsync(Backend.Address, "c2", snapshot =>
        {
            snapshot.Routing = new Routing { Redirect = redirect };
            snapshot.Target!.Probe.Path = "/up";
            change?.Invoke(snapshot);
        });
    }
}
