using System.Net;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Requests and answers of clients that speak TLS with the Proxy.</summary>
public sealed class TlsTests : ServedOverTls
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Client_and_proxy_agree_upon_the_protocol_and_the_application_learns_of_https(string version)
    {
        using var client = ClientFor(Version.Parse(version));
        var asking = client.GetAsync(new Uri("/a?b", UriKind.Relative));
        await using var application = await Backend.AcceptedAsync();
        var request = await application.ReadHeadAsync();
        await application.SendAsync(Ok);

        using var answer = await asking;

        Assert.StartsWith("GET /a?b HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", request, StringComparison.Ordinal);
        Assert.Equal((Version.Parse(version), "ok"), (answer.Version, await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Requests_follow_one_another_on_a_connection()
    {
        Backend.AnswerAll(Ok);
        await using var client = await ConnectAsync();

        for (var i = 0; i < 100; i++)
        {
            await client.SendAsync(Get);
            Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Interim_answers_come_encrypted_as_everything_else()
    {
        const string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await Backend.AcceptedSendingAsync();

        await application.SendAsync(hints);

        Assert.Equal(hints, await client.ReadHeadAsync());
        await application.SendAsync(hints + Ok);
        Assert.Equal(hints, await client.ReadHeadAsync());
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_waits_for_100_continue_is_told_to_go_on()
    {
        await using var client = await ConnectAsync();
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        await using var application = await Backend.AcceptedSendingAsync();

        await application.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 100 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        await client.SendAsync("abc");
        Assert.Equal("abc", await application.ReadAsync(3));
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Web_socket_is_carried_and_told_1001_when_its_release_is_replaced()
    {
        await using var two = new RawBackend();
        await using var socket = await WebSocketPair.OpenAsync(await ConnectAsync(), Backend);

        await Proxy.SwitchAsync(two.Address, "c2", snapshot => snapshot.StreamDrainTimeout = TimeSpan.FromSeconds(40));
        await socket.AssertPassesAsync("still served");
        Time.Advance(TimeSpan.FromSeconds(35));

        await socket.AssertToldAsync();
        await socket.AnswerAsync();
        await socket.AssertEndsAsync();
    }

    [Fact]
    public async Task Request_goes_on_over_a_switch_on_the_same_connection()
    {
        await using var two = new RawBackend();
        two.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await Backend.AcceptedSendingAsync();

        await Proxy.SwitchAsync(two.Address, "c2");
        await application.SendAsync(Ok);

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await client.SendAsync(Get);
        Assert.EndsWith("two", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Switches_under_load_fail_no_request(string version)
    {
        const int switches = 50;
        const int visitors = 4;
        await using var two = new RawBackend();
        Backend.AnswerAll(Ok);
        two.AnswerAll(Ok);
        using var client = ClientFor(Version.Parse(version));
        using var over = new CancellationTokenSource();
        var visits = Enumerable.Range(0, visitors).Select(_ => VisitAsync(client, over.Token)).ToList();

        for (var i = 0; i < switches; i++)
        {
            var backend = i % 2 == 0 ? two : Backend;
            backend.ExpectsProbe = true;
            await Proxy.SwitchAsync(backend.Address, $"s{i}");
            var served = i * visitors;
            await Proxy.UntilAsync(s => s.Total.Requests > served);
        }

        await over.CancelAsync();
        var answers = (await Task.WhenAll(visits)).Sum();
        var state = await Proxy.UntilAsync(s => s.Targets.All(target => target.InFlight == 0));
        Assert.Equal(answers, state.Total.Requests);
        Assert.Equal([200], state.Total.ByStatus.Keys);
    }

    [Fact]
    public async Task Large_bodies_pass_both_ways()
    {
        var body = new byte[3_000_000];
        new Random(1).NextBytes(body);
        using var client = ClientFor(HttpVersion.Version11);
        var asking = client.PostAsync(new Uri("/", UriKind.Relative), new ByteArrayContent(body));
        await using var application = await Backend.AcceptedAsync();
        await application.ReadHeadAsync();
        var received = await application.ReadAsync(body.Length);
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{received}");

        using var answer = await asking;

        Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Client_that_takes_nothing_does_not_hold_up_the_others()
    {
        await using var slow = await ConnectAsync();
        await slow.SendAsync(Get);
        await using var flooded = await Backend.AcceptedSendingAsync();
        var flooding = flooded.TrySendAsync($"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n{new string('x', 20_000_000)}");
        await slow.ReadHeadAsync();
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await Backend.AcceptedSendingAsync();

        await application.SendAsync(Ok);

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.False(flooding.IsCompleted);
        await slow.DisposeAsync();
        Assert.False(await flooding);
    }

    [Fact]
    public async Task Answer_that_was_cut_does_not_look_whole()
    {
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        await using (var application = await Backend.AcceptedSendingAsync())
        {
            await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
            await client.ReadHeadAsync();
        }

        Assert.Null(await client.TryReadToEndAsync());
    }

    // The client of OpenSSL takes the end of the connection for an error where it isn't said.
    [Fact]
    public async Task End_of_an_answer_without_a_length_is_said()
    {
        OpenSsl.SkipUnlessInstalled();
        var asking = OpenSsl.ConnectAsync(Proxy.TlsAddress, Authority, "GET / HTTP/1.0\r\n\r\n", "-servername", TestAuthority.Host, "-ign_eof");
        await using (var application = await Backend.AcceptedSendingAsync())
        {
            await application.SendAsync("HTTP/1.1 200 OK\r\n\r\nall of it");
        }

        var output = await asking;

        Assert.Contains("all of it", output, StringComparison.Ordinal);
        Assert.DoesNotContain("unexpected eof", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_lets_requests_end_and_closes_idle_connections()
    {
        await using var idle = await ConnectAsync();
        await idle.SendAsync(Get);
        await using var application = await Backend.AcceptedSendingAsync();
        await application.SendAsync(Ok);
        await idle.ReadMessageAsync();
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        await application.ReadHeadAsync();

        var stopping = Proxy.Host.StopAsync(CancellationToken.None);
        Assert.Equal("", await idle.ReadToEndAsync());
        await idle.DisposeAsync();
        await application.SendAsync(Ok);

        Assert.EndsWith("ok", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await client.DisposeAsync();
        await stopping.WaitAsync(Limit, TimeProvider.System);
    }

    [Fact]
    public async Task Connections_are_counted_once_and_none_is_left()
    {
        Backend.AnswerAll(Ok);
        using (var client = ClientFor(HttpVersion.Version20))
        {
            Assert.Equal("ok", await client.GetStringAsync(new Uri("/", UriKind.Relative)));
            Assert.Equal(1, (await Proxy.StatusAsync()).Connections.Values.Sum());
        }

        await Eventually.HoldsAsync("no connection is counted", async _ => (await Proxy.StatusAsync()).Connections.Values.All(count => count == 0));
    }

    private static async Task<long> VisitAsync(HttpClient client, CancellationToken over)
    {
        long answers = 0;
        for (; !over.IsCancellationRequested; answers++)
        {
            Assert.Equal("ok", await client.GetStringAsync(new Uri("/", UriKind.Relative), CancellationToken.None));
        }

        return answers;
    }
}
