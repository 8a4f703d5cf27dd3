using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>What a handshake offers, and who is refused.</summary>
public sealed class HandshakeTests : ServedOverTls
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("-tls1_2", "Protocol  : TLSv1.2")]
    [InlineData("-tls1_3", "New, TLSv1.3")]
    public async Task Modern_versions_are_spoken(string version, string expected) => Assert.Contains(expected, await HandshakeAsync(version), StringComparison.Ordinal);

    [Theory]
    [InlineData("-tls1")]
    [InlineData("-tls1_1")]
    public async Task Old_versions_are_refused(string version) =>
        Assert.Contains("alert protocol version", await HandshakeAsync(version, "-cipher", "ALL@SECLEVEL=0"), StringComparison.Ordinal);

    [Fact]
    public async Task Renegotiation_is_refused()
    {
        OpenSsl.SkipUnlessInstalled();

        var output = await OpenSsl.ConnectAsync(Proxy.TlsAddress, Authority, "R\n", "-servername", TestAuthority.Host, "-tls1_2");

        Assert.Contains("RENEGOTIATING", output, StringComparison.Ordinal);
        Assert.Matches("no renegotiation|unexpected eof", output);
    }

    [Fact]
    public async Task Host_without_a_certificate_is_refused_by_an_alert_that_says_so()
    {
        Assert.Contains("unrecognized name", await HandshakeOfAsync("stranger.example"), StringComparison.Ordinal);
        Assert.Contains("unrecognized name", await HandshakeOfAsync("a.b.shop.example"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_host_gets_its_own_certificate_with_its_chain()
    {
        Authority.Write("other", "other.example");
        Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal([await SerialOfAsync("www.shop.example")], [await SerialOfAsync("shop.example")]);
        Assert.NotEqual(await SerialOfAsync("shop.example"), await SerialOfAsync("other.example"));
    }

    [Fact]
    public async Task Replaced_certificate_is_shown_to_new_clients_while_the_others_go_on()
    {
        Backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        await client.ReadMessageAsync();

        var renewed = Authority.Write(TestAuthority.Host, TestAuthority.Host);
        Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(renewed.SerialNumber, await SerialOfAsync(TestAuthority.Host));
        await client.SendAsync(Get);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.Equal([TestAuthority.Host], (await Proxy.StatusAsync()).Certificates.Single().Hosts);
    }

    [Fact]
    public async Task Plain_http_is_told_to_use_https()
    {
        await using var client = await RawConnection.ConnectAsync(Proxy.TlsAddress);

        await client.SendAsync(Get);

        var answer = await client.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("https://", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\0\0\0\0")]
    [InlineData("\x16\x03\x01\x00\x04\x01\x00\x00\x00")]
    [InlineData("\x80\x2e\x01\x00\x02")]
    public async Task Garbage_is_closed(string garbage)
    {
        await using var client = await RawConnection.ConnectAsync(Proxy.TlsAddress);

        await client.SendAsync(garbage + new string('\0', 300));

        await client.WaitForEndAsync();
    }

    [Fact]
    public async Task Slow_handshakes_are_ended_after_ten_seconds_and_do_not_hold_up_others()
    {
        const int slow = 200;
        var clients = new List<RawConnection>();
        for (var i = 0; i < slow; i++)
        {
            clients.Add(await RawConnection.ConnectAsync(Proxy.TlsAddress));
            await clients[i].SendAsync("\x16\x03\x01\x02");
        }

        await Eventually.HoldsAsync("all are counted", async _ => (await Proxy.StatusAsync()).Connections.Values.Sum() == slow);
        Backend.AnswerAll(Ok);
        await using var client = await ConnectAsync();
        await client.SendAsync(Get);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);

        Time.Advance(Limit - TimeSpan.FromMilliseconds(1));
        Assert.DoesNotContain(clients, one => one.HasUnread);
        Time.Advance(TimeSpan.FromMilliseconds(1));

        await Task.WhenAll(clients.Select(async one =>
        {
            await one.WaitForEndAsync();
            await one.DisposeAsync();
        }));
        await Eventually.HoldsAsync("one is left", async _ => (await Proxy.StatusAsync()).Connections.Values.Sum() == 1);
    }

    [Fact]
    public async Task Half_a_handshake_does_not_hold_up_the_stop()
    {
        await using var client = await RawConnection.ConnectAsync(Proxy.TlsAddress);
        await client.SendAsync("\x16\x03\x01\x02");
        await Eventually.HoldsAsync("the client is counted", async _ => (await Proxy.StatusAsync()).Connections.Values.Sum() == 1);

        var stopping = Proxy.Host.StopAsync(CancellationToken.None);

        await client.WaitForEndAsync();
        await client.DisposeAsync();
        await stopping.WaitAsync(Limit, TimeProvider.System);
    }

    [Fact]
    public async Task Client_that_speaks_neither_protocol_gets_http_1_1_or_an_alert()
    {
        Backend.AnswerAll(Ok);
        await using var silent = await Authority.ConnectAsync(Proxy.TlsAddress, static (socket, tls) => new RawConnection(socket, tls));
        await silent.SendAsync(Get);
        Assert.EndsWith("ok", await silent.ReadMessageAsync(), StringComparison.Ordinal);

        await Assert.ThrowsAsync<AuthenticationException>(() => Authority.ConnectAsync(
            Proxy.TlsAddress, static (socket, tls) => new RawConnection(socket, tls), change: options => options.ApplicationProtocols = [new SslApplicationProtocol("spdy/3")]));
    }

    private Task<string> HandshakeAsync(params IEnumerable<string> options) => HandshakeOfAsync(TestAuthority.Host, options);

    private Task<string> HandshakeOfAsync(string host, params IEnumerable<string> options)
    {
        OpenSsl.SkipUnlessInstalled();
        return OpenSsl.ConnectAsync(Proxy.TlsAddress, Authority, $"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", ["-servername", host, .. options]);
    }

    private Task<string> SerialOfAsync(string host) =>
        Authority.ConnectAsync(Proxy.TlsAddress, static (socket, tls) => Close(socket, tls.RemoteCertificate!.GetSerialNumberString()), host);

    private static string Close(Socket socket, string serial)
    {
        socket.Dispose();
        return serial;
    }
}
