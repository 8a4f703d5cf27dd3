using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Peers;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Two or three hosts, each a Proxy with a release of its own, of which some can't answer.</summary>
public sealed class OtherHostTests : IAsyncLifetime
{
    private const string Closing = "Host: shop.example\r\nConnection: close\r\n";
    private const string Get = $"GET /page HTTP/1.1\r\n{Closing}\r\n";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");
    private readonly List<RunningProxy> _proxies = [];
    private readonly List<GrpcBackend> _releases = [];
    private readonly IPEndPoint[] _addresses = [.. Enumerable.Range(0, 3).Select(host => new IPEndPoint(AddressOf(host), FreePort.Next()))];

    public async ValueTask InitializeAsync() => await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "key"), new string('k', PeerOptions.LeastKey) + "\n");

    public async ValueTask DisposeAsync()
    {
        foreach (var proxy in _proxies)
        {
            await proxy.DisposeAsync();
        }

        foreach (var release in _releases)
        {
            await release.DisposeAsync();
        }

        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "body")]
    public async Task Request_that_finds_no_release_is_answered_by_the_other_host_whose_application_sees_no_difference(string method, string body)
    {
        await StartAsync(hosts: 2, serving: [1]);

        var answer = await _proxies[0].ExchangeAsync($"{method} /page?q=1 HTTP/1.1\r\n{Closing}Content-Length: {body.Length}\r\nX-Request-Id: named-by-nobody\r\n\r\n{body}");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.EndsWith($"1 {method} /page?q=1 shop.example {body}", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Got: nothing-else\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(1, await AnsweredAsync(0, 1, PeerReason.NoRelease));
    }

    [Fact]
    public async Task Request_whose_release_is_away_goes_to_the_other_hosts_in_turn()
    {
        await StartAsync(hosts: 3, serving: [0, 1, 2]);
        await _releases[0].DisposeAsync();

        var answers = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            answers.Add((await _proxies[0].ExchangeAsync(Get)).Split("\r\n\r\n")[1][..1]);
        }

        Assert.Equal([3, 3], answers.GroupBy(answer => answer).Select(group => group.Count()));
        Assert.Equal((3, 3), (await AnsweredAsync(0, 1, PeerReason.Unreachable), await AnsweredAsync(0, 2, PeerReason.Unreachable)));
        Assert.Equal(6, (await _proxies[0].StateAsync()).Total.ByStatus[200]);
    }

    [Fact]
    public async Task Request_that_was_broken_off_unanswered_is_sent_to_one_other_host_and_no_further()
    {
        await StartAsync(hosts: 2, serving: [1]);
        await using var breaking = new RawBackend();
        await _proxies[0].SwitchAsync(breaking.Address, "breaking", snapshot => snapshot.HoldTimeout = TimeSpan.FromSeconds(5));
        await using var client = await _proxies[0].ConnectAsync();
        await client.SendAsync(Get);
        await (await breaking.AcceptedSendingAsync()).DisposeAsync();

        Assert.EndsWith("1 GET /page shop.example ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal((1, 1), (breaking.Accepted, await AnsweredAsync(0, 1, PeerReason.Unanswered)));
    }

    [Fact]
    public async Task Request_that_may_not_be_repeated_stays()
    {
        await StartAsync(hosts: 2, serving: [1]);
        await using var breaking = new RawBackend();
        await _proxies[0].SwitchAsync(breaking.Address, "breaking");
        await using var client = await _proxies[0].ConnectAsync();
        await client.SendAsync($"POST /page HTTP/1.1\r\n{Closing}Content-Length: 4\r\n\r\nbody");
        var connection = await breaking.AcceptedSendingAsync();
        await connection.DisposeAsync();

        Assert.StartsWith("HTTP/1.1 502 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await _proxies[0].StatusAsync()).Peers!.Sum(peer => peer.Answered.Values.Sum()));
    }

    [Fact]
    public async Task Request_is_never_forwarded_a_second_time()
    {
        await StartAsync(hosts: 3, serving: []);

        Assert.StartsWith("HTTP/1.1 503 ", await _proxies[0].ExchangeAsync(Get), StringComparison.Ordinal);

        Assert.Equal(1, (await _proxies[0].StatusAsync()).Peers!.Sum(peer => peer.Answered.Values.Sum()));
        foreach (var other in _proxies.Skip(1))
        {
            Assert.Equal(0, (await other.StatusAsync()).Peers!.Sum(peer => peer.Answered.Values.Sum() + peer.Failed));
        }
    }

    [Theory]
    [InlineData("Wunderproxy-Peer: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n")]
    [InlineData("Wunderproxy-Peer: \r\nWunderproxy-Peer: again\r\n")]
    [InlineData("Wunderproxy_Peer: AAAA\r\n")]
    public async Task Mark_of_a_stranger_is_none_and_reaches_no_application(string header)
    {
        await StartAsync(hosts: 2, serving: [1]);

        Assert.Contains("\r\nX-Got: nothing-else\r\n", await _proxies[1].ExchangeAsync($"GET /page HTTP/1.1\r\n{Closing}{header}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await _proxies[0].ExchangeAsync($"GET /page HTTP/1.1\r\n{Closing}{header}\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hosts_whose_keys_differ_send_no_request_in_a_circle()
    {
        await StartAsync(hosts: 2, serving: []);
        using var other = new Socket(SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(AddressOf(1), 0));
        await other.ConnectAsync(_addresses[0]);
        await using var client = new RawConnection(other);

        await client.SendAsync($"GET /page HTTP/1.1\r\n{Closing}Wunderproxy-Peer: {new string('A', 43)}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 503 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await _proxies[0].StatusAsync()).Peers!.Sum(peer => peer.Answered.Values.Sum() + peer.Failed));
    }

    [Fact]
    public async Task Other_host_is_believed_who_the_client_is()
    {
        await StartAsync(hosts: 2, serving: [1]);
        _releases[0].Answer = context => context.Response.WriteAsync(context.Request.Headers["X-Real-IP"].ToString());
        using var other = new Socket(SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(AddressOf(0), 0));
        await other.ConnectAsync(_addresses[1]);
        await using var client = new RawConnection(other);

        await client.SendAsync($"GET /page HTTP/1.1\r\n{Closing}X-Forwarded-For: 192.0.2.7\r\n\r\n");

        Assert.Contains("192.0.2.7", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_of_http2_is_answered_by_the_other_host_too()
    {
        await StartAsync(hosts: 2, serving: [1]);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{_addresses[0]}"), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };

        using var answer = await client.PostAsync(new Uri("/page", UriKind.Relative), new StringContent("body"));

        Assert.Equal((HttpStatusCode.OK, "1 POST /page"), (answer.StatusCode, (await answer.Content.ReadAsStringAsync())[..12]));
    }

    [Theory]
    [InlineData("/status")]
    [InlineData("/healthz?full=1")]
    public async Task Health_of_a_host_is_told_by_no_other(string path)
    {
        await StartAsync(hosts: 2, serving: [1]);

        Assert.StartsWith("HTTP/1.1 503 ", await _proxies[0].ExchangeAsync($"GET {path} HTTP/1.1\r\n{Closing}\r\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_check_of_the_application_stays_where_its_release_is_away()
    {
        await StartAsync(hosts: 2, serving: [1]);
        await using var gone = new RawBackend();
        var target = RunningProxy.TargetAt(gone.Address, "gone") with { Probe = new HealthProbe { Path = "/how-are-you" } };
        Assert.Equal(HttpStatusCode.OK, (await _proxies[0].PutAsync(_proxies[0].SnapshotOf(target))).Status);
        await gone.DisposeAsync();

        Assert.StartsWith("HTTP/1.1 502 ", await _proxies[0].ExchangeAsync($"GET /how-are-you HTTP/1.1\r\n{Closing}\r\n"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", await _proxies[0].ExchangeAsync(Get), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_a_share_goes_there_once_what_was_saved_is_used_up()
    {
        await StartAsync(hosts: 2, serving: [1], peers => peers with { Share = 25 });
        var answered = 0;
        for (var i = 0; i < 260; i++)
        {
            answered += (await _proxies[0].ExchangeAsync(Get)).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) ? 1 : 0;
        }

        // The first hundred, with the share that they earn, and a quarter of the rest.
        var status = await _proxies[0].StatusAsync();
        Assert.InRange(answered, 150, 170);
        Assert.Equal(260 - answered, status.PeersRefused);
    }

    [Fact]
    public async Task Only_so_many_are_there_at_once()
    {
        await StartAsync(hosts: 2, serving: [1], peers => peers with { MaxInFlight = 1 });
        var release = new TaskCompletionSource();
        _releases[0].Answer = context => release.Task;
        await using var first = await _proxies[0].ConnectAsync();
        await first.SendAsync(Get);
        await Eventually.HoldsAsync("it is there", () => _proxies[0].StatusAsync().GetAwaiter().GetResult().Peers![0].InFlight == 1);

        Assert.StartsWith("HTTP/1.1 503 ", await _proxies[0].ExchangeAsync(Get), StringComparison.Ordinal);
        release.SetResult();
        Assert.StartsWith("HTTP/1.1 200 ", await first.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_host_that_is_away_is_counted_and_left_alone_for_a_moment()
    {
        await StartAsync(hosts: 1, serving: []);

        Assert.StartsWith("HTTP/1.1 503 ", await _proxies[0].ExchangeAsync(Get), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503 ", await _proxies[0].ExchangeAsync(Get), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503 ", await _proxies[0].ExchangeAsync(Get), StringComparison.Ordinal);

        Assert.Equal([1, 1], (await _proxies[0].StatusAsync()).Peers!.Select(peer => peer.Failed));
    }

    [Fact]
    public async Task Key_that_is_too_short_is_refused_at_the_start()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "key"), "short");

        var refusal = await Assert.ThrowsAsync<StartException>(() => StartAsync(hosts: 1, serving: []));

        Assert.Contains("too short", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("short\n", refusal.Message, StringComparison.Ordinal);
    }

    // Each knows the two others; the releases are in the order of the hosts that have one.
    private async Task StartAsync(int hosts, int[] serving, Func<PeerOptions, PeerOptions>? change = null)
    {
        var peers = new PeerOptions { KeyFile = Path.Combine(_folder.FullName, "key") };
        peers = change?.Invoke(peers) ?? peers;
        for (var i = 0; i < hosts; i++)
        {
            var host = i;
            var others = hosts == 2 ? _addresses[..2] : _addresses;
            _proxies.Add(await RunningProxy.StartAsync(options => options with
            {
                Listen = [ListenAddress.TryParse($"{_addresses[host]}")!],
                Peers = peers with { Addresses = [.. others.Where(address => !address.Equals(_addresses[host]))] },
            }));
        }

        foreach (var host in serving)
        {
            var release = await GrpcBackend.StartAsync($"{host}", protocol: HttpProtocols.Http1);
            release.Answer = context => AnswerAsync(context, release.Name);
            _releases.Add(release);
            await _proxies[host].SwitchAsync(release.Address, $"c{host}");
        }
    }

    private static IPAddress AddressOf(int host) => new([127, 0, 0, (byte)(11 + host)]);

    private async Task<long> AnsweredAsync(int host, int by, PeerReason reason) =>
        (await _proxies[host].StatusAsync()).Peers!.Single(peer => peer.Address == _addresses[by].ToString()).Answered[reason];

    private static async Task AnswerAsync(HttpContext context, string name)
    {
        using var body = new StreamReader(context.Request.Body);
        var answer = $"{name} {context.Request.Method} {context.Request.Path}{context.Request.QueryString} {context.Request.Host} {await body.ReadToEndAsync()}";
        context.Response.Headers["X-Got"] = string.Join(' ', context.Request.Headers.Keys.Where(header => header.StartsWith("Wunder", StringComparison.OrdinalIgnoreCase)).Append("nothing-else"));
        context.Response.ContentLength = answer.Length;
        await context.Response.WriteAsync(answer);
    }
}
