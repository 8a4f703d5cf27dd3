using System.Net;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class RoutingTests
{
    [Theory]
    [InlineData("shop.example", "/", "shop")]
    [InlineData("SHOP.example:8080", "/cart?x=1", "shop")]
    [InlineData("shop.example.", "/", "shop")]
    [InlineData("shop.example", "/blog", "blog of the shop")]
    [InlineData("shop.example", "/blog?page=2", "blog of the shop")]
    [InlineData("shop.example", "/blog/2026", "blog of the shop")]
    [InlineData("shop.example", "/blogs", "shop")]
    [InlineData("shop.example", "/Blog", "shop")]
    [InlineData("shop.example", "/%62log", "shop")]
    [InlineData("www.shop.example", "/", "all below")]
    [InlineData("a.b.shop.example", "/blog", "all below")]
    [InlineData("eu.api.shop.example", "/", "all below api")]
    [InlineData("myshop.example", "/", "others")]
    [InlineData("other.example", "/blog", "others")]
    [InlineData("[::1]:80", "/", "others")]
    public async Task Request_goes_to_the_application_that_claims_it_most_closely(string host, string path, string expected)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var shop = await ApplicationAsync(proxy, "shop", "/", "shop.example");
        await using var blog = await ApplicationAsync(proxy, "blog of the shop", "/blog", "shop.example", "blog.example");
        await using var below = await ApplicationAsync(proxy, "all below", "/", "*.shop.example");
        await using var api = await ApplicationAsync(proxy, "all below api", "/", "*.api.shop.example");
        await using var others = await ApplicationAsync(proxy, "others", "/");

        Assert.EndsWith(expected, await AskAsync(proxy, host, path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_no_application_claims_is_not_found_and_counts_for_none()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var shop = await ApplicationAsync(proxy, "shop", "/", "shop.example");

        Assert.StartsWith("HTTP/1.1 404 ", await AskAsync(proxy, "other.example", "/"), StringComparison.Ordinal);
        Assert.Equal(0, (await StateAsync(proxy, "shop")).Total.Requests);
        Assert.EndsWith("shop", await AskAsync(proxy, "shop.example", "/"), StringComparison.Ordinal);
        Assert.Equal(1, (await StateAsync(proxy, "shop")).Total.Requests);
    }

    [Fact]
    public async Task Host_and_path_of_another_application_are_refused_naming_it_and_both_serve_on()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var shop = await ApplicationAsync(proxy, "shop", "/", "shop.example", "www.shop.example");
        await using var blog = await ApplicationAsync(proxy, "blog", "/", "blog.example");

        var (status, body) = await proxy.PutAsync(Snapshot(proxy, "blog", blog, "/", "blog.example", "WWW.shop.example"));

        Assert.Equal(HttpStatusCode.Conflict, status);
        var problem = RunningProxy.ProblemIn(body);
        Assert.Equal(ControlProblem.ClaimedByOther, problem.Type);
        Assert.Contains("host 'www.shop.example' with path '/': application 'shop' of installation 'i1' has it", problem.Detail, StringComparison.Ordinal);
        Assert.EndsWith("shop", await AskAsync(proxy, "www.shop.example", "/"), StringComparison.Ordinal);
        Assert.EndsWith("blog", await AskAsync(proxy, "blog.example", "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Switch_drain_and_end_of_one_application_change_nothing_for_another()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var shop = await ApplicationAsync(proxy, "shop", "/", "shop.example");
        await using var blog = await ApplicationAsync(proxy, "blog", "/", "blog.example");
        await AskAsync(proxy, "blog.example", "/");
        var before = await StateAsync(proxy, "blog");

        await using var next = await ApplicationAsync(proxy, "shop", "/", "shop.example", "shop2.example");
        Assert.EndsWith("shop", await AskAsync(proxy, "shop2.example", "/"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await proxy.CallAsync(HttpMethod.Delete, "/applications/shop?installation=i1")).Status);

        Assert.StartsWith("HTTP/1.1 404 ", await AskAsync(proxy, "shop.example", "/"), StringComparison.Ordinal);
        Assert.EndsWith("blog", await AskAsync(proxy, "blog.example", "/"), StringComparison.Ordinal);
        var after = await StateAsync(proxy, "blog");
        Assert.Equal((before.Generation, before.Fence, before.Total.Requests + 1), (after.Generation, after.Fence, after.Total.Requests));
    }

    [Fact]
    public async Task Fault_of_one_application_changes_nothing_for_another()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var blog = await ApplicationAsync(proxy, "blog", "/", "blog.example");
        await using var busy = await UnansweringAsync(proxy, "busy", snapshot => snapshot.Limits = new Limits { MaxRequestsInFlight = 2, MaxQueued = 20 });
        await using var gone = await UnansweringAsync(proxy, "gone", snapshot => snapshot.HoldTimeout = TimeSpan.FromMinutes(1));
        await using var paused = await UnansweringAsync(proxy, "paused", snapshot => (snapshot.IsPaused, snapshot.HoldTimeout) = (true, TimeSpan.FromMinutes(1)));
        await gone.DisposeAsync();
        var waiting = new List<RawConnection>();
        foreach (var host in new[] { "busy", "gone", "paused" }.SelectMany(name => Enumerable.Repeat(name, 50)))
        {
            waiting.Add(await proxy.ConnectAsync());
            await waiting[^1].SendAsync($"GET / HTTP/1.1\r\nHost: {host}.example\r\n\r\n");
        }

        await Lab.Eventually.HoldsAsync("each is at its limit", async _ => await StateAsync(proxy, "busy") is { Queued: 20 } atLimit && atLimit.Total.ByStatus.GetValueOrDefault(503) == 28
            && (await StateAsync(proxy, "gone")).Waiting == 50 && (await StateAsync(proxy, "paused")).Waiting == 50);

        for (var i = 0; i < 50; i++)
        {
            Assert.EndsWith("blog", await AskAsync(proxy, "blog.example", "/").WaitAsync(TimeSpan.FromSeconds(1), TimeProvider.System), StringComparison.Ordinal);
        }

        Assert.Equal(new Dictionary<int, long> { [200] = 50 }, (await StateAsync(proxy, "blog")).Total.ByStatus);
        await Task.WhenAll(waiting.Select(client => client.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Every_application_is_served_again_under_its_own_hosts_after_a_restart()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var shop = await ApplicationAsync(proxy, "shop", "/", "shop.example");
        await using var blog = await ApplicationAsync(proxy, "blog", "/", "blog.example");

        await proxy.RestartAsync();

        Assert.EndsWith("shop", await AskAsync(proxy, "shop.example", "/"), StringComparison.Ordinal);
        Assert.EndsWith("blog", await AskAsync(proxy, "blog.example", "/"), StringComparison.Ordinal);
        Assert.Equal(["blog.example"], (await StateAsync(proxy, "blog")).Routing.Hosts);
    }

    [Theory]
    [InlineData("shop", "a:80")]
    [InlineData("/shop/", "a")]
    [InlineData("/shop", "")]
    public async Task Routing_that_could_not_be_matched_is_refused_by_name(string prefix, string host)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();

        var (status, body) = await proxy.PutAsync(Snapshot(proxy, "shop", backend, prefix, host));

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("Routing.", RunningProxy.ProblemIn(body).Detail, StringComparison.Ordinal);
    }

    // Each answers with its name, which with hyphens is the application's.
    private static async Task<RawBackend> ApplicationAsync(RunningProxy proxy, string name, string prefix, params string[] hosts)
    {
        var backend = new RawBackend();
        var (status, body) = await proxy.PutAsync(Snapshot(proxy, name, backend, prefix, hosts));
        Assert.True(status == HttpStatusCode.OK, body);
        backend.AnswerAll($"HTTP/1.1 200 OK\r\nContent-Length: {name.Length}\r\n\r\n{name}");
        return backend;
    }

    private static async Task<RawBackend> UnansweringAsync(RunningProxy proxy, string name, Action<ApplicationSnapshot> change)
    {
        var backend = new RawBackend();
        var snapshot = Snapshot(proxy, name, backend, "/", $"{name}.example");
        change(snapshot);
        var (status, body) = await proxy.PutAsync(snapshot);
        Assert.True(status == HttpStatusCode.OK, body);
        return backend;
    }

    private static ApplicationSnapshot Snapshot(RunningProxy proxy, string name, RawBackend backend, string prefix, params string[] hosts) =>
        proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address, $"c{backend.Address.Port}")) with
        {
            Application = name.Replace(' ', '-'),
            Routing = new Routing { Hosts = hosts, PathPrefix = prefix },
        };

    private static Task<string> AskAsync(RunningProxy proxy, string host, string path) =>
        proxy.ExchangeAsync($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

    private static async Task<ApplicationState> StateAsync(RunningProxy proxy, string application) =>
        (await proxy.StatusAsync()).Applications.Single(a => a.Application == application);
}
