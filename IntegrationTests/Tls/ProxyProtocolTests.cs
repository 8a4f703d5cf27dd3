using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Addresses on which a header of the PROXY protocol stands in front of TLS.</summary>
public sealed class ProxyProtocolTests : IAsyncLifetime
{
    private const string Line = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TestAuthority _authority = new();
    private readonly RawBackend _backend = new();
    private RunningProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync(options => _authority.Offer(options) with { ListenTls = [ListenAddress.TryParse("proxy-protocol:127.0.0.1:0")!] });
        await _proxy.SwitchAsync(_backend.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _backend.DisposeAsync();
        _authority.Dispose();
    }

    [Theory]
    [InlineData("1.1", Line)]
    [InlineData("2.0", Line)]
    [InlineData("1.1", ProxyHeaderTests.Ipv4)]
    public async Task Header_stands_before_the_handshake_and_the_application_learns_the_address_and_https(string version, string header)
    {
        using var client = _authority.ClientFor(_proxy.TlsAddress, Version.Parse(version), header: header);
        var asking = client.GetAsync(new Uri("/", UriKind.Relative));
        await using var application = await _backend.AcceptedAsync();
        var request = await application.ReadHeadAsync();
        await application.SendAsync(Ok);
        using var answer = await asking;

        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        foreach (var field in (string[])["X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1", "X-Forwarded-Proto: https"])
        {
            Assert.Contains($"\r\n{field}\r\n", request, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Handshake_without_a_header_is_closed_without_a_word()
    {
        await using var client = await RawConnection.ConnectAsync(_proxy.TlsAddress);
        await client.SendAsync("\x16\x03\x01\0\x05\x01\0\0\x01\0");

        Assert.Equal("", await client.TryReadToEndAsync() ?? "");
    }

    [Fact]
    public async Task Request_without_tls_behind_the_header_is_told_to_use_https()
    {
        await using var client = await RawConnection.ConnectAsync(_proxy.TlsAddress);
        await client.SendAsync(Line + "GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal(0, _backend.Accepted);
    }
}
