namespace Wunderproxy.IntegrationTests.Proxy;

public class ForwardedRequestTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    [Theory]
    [InlineData("/")]
    [InlineData("/a%2fb/%2e%2e/../c;x=1//d?q=%c0%ae&r=a+b%20c")]
    [InlineData("/%41/./~{|}^`\"<>[]\\?a=b?c=d&&")]
    [InlineData("/?")]
    [InlineData("//host/path")]
    public async Task Target_reaches_the_application_byte_for_byte(string target)
    {
        var received = await ForwardAsync($"GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n");

        Assert.StartsWith($"GET {target} HTTP/1.1\r\n", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://a.example/p?q", "/p?q")]
    [InlineData("http://a.example", "/")]
    [InlineData("http://a.example?q", "/?q")]
    public async Task Absolute_form_is_sent_on_in_origin_form(string target, string expected)
    {
        var received = await ForwardAsync($"GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n");

        Assert.StartsWith($"GET {expected} HTTP/1.1\r\n", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PROPFIND")]
    [InlineData("M-SEARCH")]
    [InlineData("DELETE")]
    [InlineData("Custom")]
    public async Task Method_reaches_the_application_as_it_is(string method)
    {
        Assert.StartsWith($"{method} / HTTP/1.1\r\n", await ForwardAsync($"{method} / HTTP/1.1\r\nHost: a\r\n\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_values_reach_the_application_byte_for_byte()
    {
        var value = "x" + string.Concat(Enumerable.Range(0x20, 0x100 - 0x20).Where(c => c != 0x7F).Select(c => (char)c)) + "x";

        var received = await ForwardAsync($"GET / HTTP/1.1\r\nHost: a\r\nX-Bytes: {value}\r\nX-Empty:\r\nCookie: a=1; b=2\r\nUser-Agent: odd ((agent\r\n\r\n");

        Assert.Contains($"\r\nX-Bytes: {value}\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Empty: \r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nCookie: a=1; b=2\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nUser-Agent: odd ((agent\r\n", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /\x7F HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /\xE4 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /\rx HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    [InlineData("get / HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\nHost: a\n\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nX[]: y\r\n\r\n", 400)]
    [InlineData("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405)]
    [InlineData("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 405)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na", 400)]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400)]
    public async Task Request_that_can_be_read_in_two_ways_is_refused_and_never_reaches_the_application(string request, int status)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        backend.AnswerAll(Ok);

        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        var answer = await client.ReadHeadAsync();
        await client.WaitForEndAsync();

        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(0, (await proxy.StateAsync()).Targets[0].Traffic.Requests);
    }

    [Theory]
    [InlineData("keep-alive, X-Secret")]
    [InlineData("close, X-Secret")]
    [InlineData("X-Secret")]
    [InlineData("x-secret , Keep-Alive")]
    public async Task Headers_for_this_hop_end_here(string connection)
    {
        var received = await ForwardAsync(
            $"GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\nX-Secret: s\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nX-Kept: k\r\n\r\n");

        foreach (var name in (string[])["X-Secret", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade", "Connection"])
        {
            Assert.DoesNotContain($"\r\n{name}:", received, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains("\r\nX-Kept: k\r\n", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nomination_never_removes_what_decides_about_access_or_origin()
    {
        var received = await ForwardAsync(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Host, Authorization, Cookie, X-Forwarded-For\r\nAuthorization: t\r\nCookie: c=1\r\n\r\n");

        Assert.Contains("\r\nHost: a\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nAuthorization: t\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nCookie: c=1\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.1\r\n", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_client_says_about_its_origin_is_replaced()
    {
        var received = await ForwardAsync(
            "GET / HTTP/1.1\r\nHost: shop.example:8443\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n"
            + "Forwarded: for=6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nx-forwarded_host: evil\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nMy_Own: kept\r\n\r\n");

        Assert.Contains("\r\nHost: shop.example:8443\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-For: 127.0.0.1\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: http\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Host: shop.example:8443\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nMy_Own: kept\r\n", received, StringComparison.Ordinal);
        Assert.DoesNotContain("6.6.6.6", received, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", received, StringComparison.Ordinal);
        Assert.DoesNotContain("_Length", received, StringComparison.Ordinal);
        Assert.DoesNotContain("_Encoding", received, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Forwarded-Port", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_trusted_proxy_says_is_kept_and_its_address_appended()
    {
        var received = await ForwardAsync(
            "GET / HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 9.9.9.9, 8.8.8.8\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\nForwarded: for=6.6.6.6\r\n\r\n",
            options => options with { TrustedProxies = [System.Net.IPNetwork.Parse("127.0.0.0/8")] });

        Assert.Contains("\r\nX-Forwarded-For: 9.9.9.9, 8.8.8.8, 127.0.0.1\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", received, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Host: outer\r\n", received, StringComparison.Ordinal);
        Assert.DoesNotContain("6.6.6.6", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asterisk_form_is_answered_by_the_Proxy()
    {
        await using var proxy = await RunningProxy.StartAsync();

        Assert.StartsWith("HTTP/1.1 204 ", await proxy.ExchangeAsync("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
    }

    private static async Task<string> ForwardAsync(
        string request, Func<Wunderproxy.Proxy.Hosting.ProxyOptions, Wunderproxy.Proxy.Hosting.ProxyOptions>? change = null)
    {
        await using var proxy = await RunningProxy.StartAsync(change);
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(request);
        await using var application = await backend.AcceptedAsync();
        var received = await application.ReadHeadAsync();
        await application.SendAsync(Ok);
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        return received;
    }
}
