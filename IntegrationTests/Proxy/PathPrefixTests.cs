using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Applications that don't see the prefix below which they are served.</summary>
public sealed class PathPrefixTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    private const string WebSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    public static TheoryData<string, string, string> Paths
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach (var header in new[] { "", WebSocket })
            {
                data.Add(header, "/shop", "/");
                data.Add(header, "/shop/", "/");
                data.Add(header, "/shop?a=/shop", "/?a=/shop");
                data.Add(header, "/shop/cart?a=1&b=%2F", "/cart?a=1&b=%2F");
                data.Add(header, "/shop/shop", "/shop");
                data.Add(header, "/shop/%73hop/%2e%2e//a;b=c", "/%73hop/%2e%2e//a;b=c");
                data.Add(header, "/shop//a", "//a");
                data.Add(header, "http://a/shop/cart", "/cart");
                data.Add(header, "http://a/shop?x", "/?x");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Application_sees_the_rest_of_the_path_byte_for_byte_and_is_told_the_prefix(string header, string path, string expected)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = await ServeAsync(proxy, strips: true);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: a\r\n{header}\r\n");
        await using var application = await backend.AcceptedAsync();

        var lines = (await application.ReadHeadAsync()).Split("\r\n");

        Assert.Equal($"GET {expected} HTTP/1.1", lines[0]);
        Assert.Equal(["X-Forwarded-Prefix: /shop"], PrefixesIn(lines));
    }

    [Fact]
    public async Task Stream_sees_the_rest_of_the_path_too()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = await ServeAsync(proxy, strips: true);
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);
        await client.SendHeadersAsync(1, [.. Http2Connection.Get("/shop/cart?a"), ("x-forwarded-prefix", "/evil")]);
        await using var application = await backend.AcceptedAsync();

        var lines = (await application.ReadHeadAsync()).Split("\r\n");

        Assert.Equal("GET /cart?a HTTP/1.1", lines[0]);
        Assert.Equal(["X-Forwarded-Prefix: /shop"], PrefixesIn(lines));
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(true, WebSocket)]
    [InlineData(false, "")]
    [InlineData(false, WebSocket)]
    public async Task Prefix_that_a_client_claims_counts_for_nothing(bool strips, string header)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = await ServeAsync(proxy, strips);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET /shop/a HTTP/1.1\r\nHost: a\r\nX-Forwarded-Prefix: /evil\r\nX_Forwarded_Prefix: /evil\r\n{header}\r\n");
        await using var application = await backend.AcceptedAsync();

        var lines = (await application.ReadHeadAsync()).Split("\r\n");

        Assert.Equal(strips ? "GET /a HTTP/1.1" : "GET /shop/a HTTP/1.1", lines[0]);
        Assert.Equal(strips ? ["X-Forwarded-Prefix: /shop"] : [], PrefixesIn(lines));
    }

    [Theory]
    [InlineData(true, "", "X-Forwarded-Prefix: /eu/shop")]
    [InlineData(true, WebSocket, "X-Forwarded-Prefix: /eu/shop")]
    [InlineData(false, "", "X-Forwarded-Prefix: /eu/")]
    public async Task Prefix_that_a_trusted_proxy_has_taken_away_comes_before(bool strips, string header, string expected)
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { TrustedProxies = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });
        await using var backend = await ServeAsync(proxy, strips);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET /shop/a HTTP/1.1\r\nHost: a\r\nX-Forwarded-Prefix: /eu/\r\n{header}\r\n");
        await using var application = await backend.AcceptedAsync();

        Assert.Equal([expected], PrefixesIn((await application.ReadHeadAsync()).Split("\r\n")));
    }

    [Fact]
    public async Task Request_that_waits_while_the_prefix_changes_is_sent_as_the_release_that_gets_it_wants_it()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = await ServeAsync(proxy, strips: true, snapshot => (snapshot.IsPaused, snapshot.HoldTimeout) = (true, TimeSpan.FromMinutes(1)));
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET /shop/a HTTP/1.1\r\nHost: a\r\n\r\n");
        await proxy.UntilAsync(state => state.Waiting == 1);

        await using var next = await ServeAsync(proxy, strips: false, snapshot => snapshot.Target = snapshot.Target! with { ContainerId = "c2" });
        await using var application = await next.AcceptedAsync();

        Assert.StartsWith("GET /shop/a HTTP/1.1\r\n", await application.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_check_is_known_by_the_path_that_visitors_use()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = await ServeAsync(proxy, strips: true, snapshot =>
        {
            snapshot.Target!.Probe.Path = "/up";
            snapshot.Maintenance = new MaintenancePage();
        });
        backend.AnswerAll(Ok);

        Assert.StartsWith("HTTP/1.1 200 ", await proxy.ExchangeAsync("GET /shop/up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503 ", await proxy.ExchangeAsync("GET /shop/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    private static async Task<RawBackend> ServeAsync(RunningProxy proxy, bool strips, Action<ApplicationSnapshot>? change = null)
    {
        var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "c1", snapshot =>
        {
            snapshot.Routing = new Routing { PathPrefix = "/shop", StripPathPrefix = strips };
            change?.Invoke(snapshot);
        });
        return backend;
    }

    private static IEnumerable<string> PrefixesIn(string[] lines) =>
        lines.Where(line => line.Replace('_', '-').StartsWith("X-Forwarded-Prefix:", StringComparison.OrdinalIgnoreCase));
}
