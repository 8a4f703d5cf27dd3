using System.Globalization;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What applications learn about the client, the request's name and its time, whatever the request is.</summary>
public class ClientIdentityTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nX-Request-Id: of-the-application\r\nContent-Length: 2\r\n\r\nok";
    private const string WebSocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

    public static TheoryData<string> Kinds { get; } = new(["", WebSocket]);

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Name_that_a_stranger_gives_its_request_is_replaced(string kind)
    {
        var received = await ForwardAsync(kind + "X-Request-Id: mine\r\nX_Request_Id: mine\r\nX-Request-Start: t=1\r\nx_request-start: t=1\r\n");

        Assert.Matches("^[0-9a-f]{32}$", Assert.Single(Values(received, "X-Request-Id")));
        Assert.DoesNotContain("mine", received, StringComparison.Ordinal);
        Assert.DoesNotContain("t=1\r\n", received, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Address_that_a_stranger_gives_itself_is_replaced(string kind)
    {
        var received = await ForwardAsync(kind + "X-Real-IP: 6.6.6.6\r\nx-real-ip: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n");

        Assert.Equal(["127.0.0.1"], Values(received, "X-Real-IP"));
        Assert.DoesNotContain("6.6.6.6", received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Forwarded-For: 6.6.6.6, 9.9.9.9, 127.0.0.2\r\nX-Real-IP: 6.6.6.6\r\n", "9.9.9.9")]
    [InlineData("Forwarded: for=6.6.6.6, for=9.9.9.9\r\n", "9.9.9.9")]
    [InlineData("X-Real-IP: 6.6.6.6\r\n", "127.0.0.1")]
    public async Task Client_behind_a_trusted_proxy_is_named_as_one_address(string fields, string address)
    {
        Assert.Equal([address], Values(await ForwardAsync(fields, options => Trusting(options) with { Forwarded = true }), "X-Real-IP"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Name_and_time_that_a_trusted_proxy_gives_are_kept(string kind)
    {
        var received = await ForwardAsync(kind + "x-request-id: Root=1-6789\r\nX-Request-Start: t=1700000000.123\r\n", Trusting);

        Assert.Equal(["Root=1-6789"], Values(received, "X-Request-Id"));
        Assert.Equal(["t=1700000000.123"], Values(received, "X-Request-Start"));
    }

    [Theory]
    [InlineData("X-Request-Id: <script>\r\n")]
    [InlineData("X-Request-Id: \r\n")]
    [InlineData("X-Request-Id: a\r\nX-Request-Id: b\r\n")]
    public async Task Name_of_a_trusted_proxy_that_is_not_sane_is_replaced(string fields)
    {
        Assert.Matches("^[0-9a-f]{32}$", Assert.Single(Values(await ForwardAsync(fields, Trusting), "X-Request-Id")));
    }

    [Fact]
    public async Task Time_of_arrival_is_told_in_milliseconds()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_123));

        Assert.Equal(["t=1700000000123"], Values(await ForwardAsync("", time: time), "X-Request-Start"));
    }

    [Fact]
    public async Task Request_that_is_sent_once_more_keeps_its_name()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        var first = await backend.AcceptedAsync();
        var name = Values(await first.ReadHeadAsync(), "X-Request-Id");
        await first.DisposeAsync();
        await using var second = await backend.AcceptedAsync();

        Assert.Equal(name, Values(await second.ReadHeadAsync(), "X-Request-Id"));
    }

    [Fact]
    public async Task Streams_of_one_connection_have_names_of_their_own()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);
        var names = new List<string>();
        foreach (var stream in (int[])[1, 3, 5])
        {
            await client.SendHeadersAsync(stream, [.. Http2Connection.Get(), ("x-request-id", "mine")]);
            var application = await backend.AcceptedAsync();
            names.AddRange(Values(await application.ReadHeadAsync(), "X-Request-Id"));
        }

        Assert.Equal(3, names.Distinct().Count(name => name.Length == 32));
    }

    [Fact]
    public async Task Answers_name_their_request_where_the_option_says_so()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { AnswerRequestId = true });
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await backend.AcceptedAsync();
        var request = await application.ReadHeadAsync();
        await application.SendAsync(Ok);

        var answer = await client.ReadMessageAsync();
        await client.SendAsync("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
        var own = await client.ReadHeadAsync();
        await client.SendAsync("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
        var refusal = await client.ReadMessageAsync();

        Assert.Equal(Values(request, "X-Request-Id"), Values(answer, "X-Request-Id"));
        Assert.Single(Values(own, "X-Request-Id"));
        Assert.Single(Values(refusal, "X-Request-Id"));
    }

    [Fact]
    public async Task Answer_to_an_upgrade_names_its_request_too()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { AnswerRequestId = true });
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: a\r\n{WebSocket}\r\n");
        await using var application = await backend.AcceptedAsync();
        var request = await application.ReadHeadAsync();
        await application.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");

        Assert.Equal(Values(request, "X-Request-Id"), Values(await client.ReadHeadAsync(), "X-Request-Id"));
    }

    [Fact]
    public async Task Application_that_names_the_request_itself_is_passed_on_where_the_option_does_not()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        backend.AnswerAll(Ok);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.Equal(["of-the-application"], Values(await client.ReadMessageAsync(), "X-Request-Id"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Forwarded_is_sent_to_nobody_unless_the_option_says_so(string kind)
    {
        Assert.Empty(Values(await ForwardAsync(kind + "Forwarded: for=6.6.6.6\r\n", Trusting), "Forwarded"));
        Assert.Equal(["for=127.0.0.1;host=\"shop.example:8443\";proto=http"], Values(await ForwardAsync(kind + "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 6.6.6.6\r\n", Forwarding), "Forwarded"));
    }

    [Theory]
    [InlineData("Forwarded: for=9.9.9.9;proto=https\r\nForwarded: for=8.8.8.8\r\n", "for=9.9.9.9;proto=https, for=8.8.8.8, ")]
    [InlineData("X-Forwarded-For: 9.9.9.9, 2001:db8::1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\n", "for=9.9.9.9;host=outer;proto=https, for=\"[2001:db8::1]\", ")]
    [InlineData("X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: a\"b\\\r\n", "for=9.9.9.9;host=\"a\\\"b\\\\\", ")]
    [InlineData("X-Forwarded-Proto: https\r\n", "")]
    public async Task Forwarded_says_what_a_trusted_proxy_says_in_either_language(string fields, string former)
    {
        foreach (var kind in (string[])["", WebSocket])
        {
            var received = await ForwardAsync(kind + fields, options => Trusting(options) with { Forwarded = true });

            Assert.Equal([former + "for=127.0.0.1;host=\"shop.example:8443\";proto=http"], Values(received, "Forwarded"));
        }
    }

    [Fact]
    public async Task Websocket_says_the_same_about_its_client_as_any_request()
    {
        const string fields = "X-Forwarded-For: 9.9.9.9, 8.8.8.8\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\nX-Request-Id: id\r\nX-Request-Start: t=1\r\n";

        foreach (var change in (Func<ProxyOptions, ProxyOptions>[])[Trusting, options => options])
        {
            var plain = OfTheClient(await ForwardAsync(fields, change));
            var upgrade = OfTheClient(await ForwardAsync(WebSocket + fields, change));
            Assert.Equal(plain, upgrade);
            Assert.Equal(3, plain.Count);
        }
    }

    private static ProxyOptions Trusting(ProxyOptions options) => options with { TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")] };

    private static ProxyOptions Forwarding(ProxyOptions options) => options with { Forwarded = true };

    private static List<string> OfTheClient(string head) =>
        [.. head.Split("\r\n").Where(line => line.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];

    private static List<string> Values(string head, string name) =>
        [.. head.Split("\r\n").Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim())];

    private static async Task<string> ForwardAsync(string fields, Func<ProxyOptions, ProxyOptions>? change = null, TimeProvider? time = null)
    {
        await using var proxy = await RunningProxy.StartAsync(change, time);
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: shop.example:8443\r\n{fields}\r\n");
        await using var application = await backend.AcceptedAsync();
        return await application.ReadHeadAsync();
    }
}
