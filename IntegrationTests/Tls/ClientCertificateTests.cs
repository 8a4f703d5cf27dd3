using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Clients that show a certificate of theirs, and applications that want to know who they are.</summary>
public sealed class ClientCertificateTests : IAsyncLifetime
{
    private const string ForClients = "1.3.6.1.5.5.7.3.2";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private const string Spoofed = "X-Forwarded-Client-Subject: CN=root\r\nX_Forwarded_Client_Subject: CN=root\r\n";

    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _strangers = new();
    private readonly RawBackend _backend = new();
    private RunningProxy _proxy = null!;

    public async ValueTask InitializeAsync() =>
        _proxy = await RunningProxy.StartAsync(options => _authority.Offer(options) with { ClientAuthorities = _authority.RootFile });

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _backend.DisposeAsync();
        _authority.Dispose();
        _strangers.Dispose();
    }

    [Theory]
    [InlineData(ClientCertificates.Optional)]
    [InlineData(ClientCertificates.Required)]
    public async Task Application_is_told_the_subject_and_nothing_that_the_client_says_about_itself(ClientCertificates wanted)
    {
        await WantAsync(wanted);
        await using var client = await ConnectAsync(_authority.Issue([], usage: ForClients, subject: "CN=alice, O=Müller\u00a0& Söhne"));
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\n{Spoofed}\r\n");
        await using var application = await _backend.AcceptedAsync();

        var request = await application.ReadHeadAsync();

        Assert.Contains("\r\nX-Forwarded-Client-Subject: CN=alice, O=M%C3%BCller%C2%A0& S%C3%B6hne\r\n", request, StringComparison.Ordinal);
        Assert.DoesNotContain("root", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_without_a_certificate_is_served_where_it_is_optional_and_gets_403_where_it_is_required()
    {
        await WantAsync(ClientCertificates.Optional);
        await using var client = await ConnectAsync(null);
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\n{Spoofed}\r\n");
        await using var application = await _backend.AcceptedAsync();
        Assert.DoesNotContain("CN=root", await application.ReadHeadAsync(), StringComparison.Ordinal);
        await application.SendAsync(Ok);
        await client.ReadMessageAsync();

        await WantAsync(ClientCertificates.Required);

        Assert.StartsWith("HTTP/1.1 403 ", await AskAsync(client), StringComparison.Ordinal);
        await using var plain = await _proxy.ConnectAsync();
        Assert.StartsWith("HTTP/1.1 403 ", await AskAsync(plain), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_of_a_client_without_a_certificate_is_not_asked_for()
    {
        await _proxy.SwitchAsync(_backend.Address, change: snapshot => (snapshot.Tls, snapshot.Buffering) = (new TlsSettings { ClientCertificates = ClientCertificates.Required }, new Buffering()));
        await using var client = await ConnectAsync(null);

        await client.SendAsync($"POST / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 403 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_that_was_made_without_asking_is_to_be_made_anew()
    {
        await WantAsync(ClientCertificates.None);
        await using var client = await ConnectAsync(_authority.Issue([], usage: ForClients));

        await WantAsync(ClientCertificates.Required);

        Assert.StartsWith("HTTP/1.1 421 ", await AskAsync(client), StringComparison.Ordinal);
        await client.WaitForEndAsync();
    }

    [Fact]
    public async Task Certificates_of_strangers_expired_ones_and_those_for_other_uses_are_refused()
    {
        await WantAsync(ClientCertificates.Required);

        await AssertRefusedAsync(_strangers.Issue([], usage: ForClients));
        await AssertRefusedAsync(_authority.Issue([], notAfter: TimeProvider.System.GetUtcNow().AddDays(-1), usage: ForClients));
        await AssertRefusedAsync(_authority.Issue([]));
        await AssertRefusedAsync(_authority.Issue([], usage: ForClients, subject: "CN=" + new string('a', 2000)));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Standard_client_shows_its_certificate(string version)
    {
        await WantAsync(ClientCertificates.Required);
        _backend.AnswerAll(Ok);
        using var certificate = CertificateOf(_authority.Issue([], usage: ForClients));
        using var client = _authority.ClientFor(_proxy.TlsAddress, Version.Parse(version), certificate);

        Assert.Equal("ok", await client.GetStringAsync(new Uri("/", UriKind.Relative)));
    }

    [Fact]
    public async Task Hosts_of_applications_that_want_none_are_not_asked()
    {
        _authority.Write("other", "other.example");
        await using var proxy = await RunningProxy.StartAsync(options => _authority.Offer(options) with { ClientAuthorities = _authority.RootFile });
        await proxy.SwitchAsync(_backend.Address, change: snapshot =>
        {
            snapshot.Routing = new Routing { Hosts = [TestAuthority.Host] };
            snapshot.Tls = new TlsSettings { ClientCertificates = ClientCertificates.Required };
        });

        Assert.True(await IsAskedAsync(proxy, TestAuthority.Host));
        Assert.False(await IsAskedAsync(proxy, "other.example"));
    }

    [Fact]
    public async Task Authorities_that_are_replaced_count_from_the_next_handshake_on_and_a_broken_file_leaves_the_former_ones_in_force()
    {
        var (file, time) = (_authority.RootFile + ".clients", new FakeTimeProvider(TimeProvider.System.GetUtcNow()));
        File.Copy(_authority.RootFile, file);
        await using var proxy = await RunningProxy.StartAsync(options => _authority.Offer(options) with { ClientAuthorities = file }, time);
        await proxy.SwitchAsync(_backend.Address, change: snapshot => snapshot.Tls = new TlsSettings { ClientCertificates = ClientCertificates.Required });
        _backend.AnswerAll(Ok);
        var (known, stranger) = (_authority.Issue([], usage: ForClients), _strangers.Issue([], usage: ForClients));
        await using var connected = await ConnectAsync(known, proxy);
        Assert.EndsWith("ok", await AskAsync(connected), StringComparison.Ordinal);

        Replace("no certificate at all");
        Assert.Contains("can be read", (await proxy.StatusAsync()).Certificates[^1].Problem, StringComparison.Ordinal);
        Assert.EndsWith("ok", await AskAsync(known, proxy), StringComparison.Ordinal);

        Replace(await File.ReadAllTextAsync(_strangers.RootFile));
        Assert.EndsWith("ok", await AskAsync(stranger, proxy), StringComparison.Ordinal);
        await AssertRefusedAsync(known, proxy);
        Assert.EndsWith("ok", await AskAsync(connected), StringComparison.Ordinal);

        void Replace(string text)
        {
            TestAuthority.WriteFile(file, text);
            time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    private async Task<bool> IsAskedAsync(RunningProxy proxy, string host)
    {
        var isAsked = false;
        await using var client = await _authority.ConnectAsync(proxy.TlsAddress, static (socket, tls) => new RawConnection(socket, tls), host, options =>
            options.LocalCertificateSelectionCallback = (_, _, _, remote, issuers) =>
            {
                isAsked |= remote is not null;
                return null!;
            });
        return isAsked;
    }

    private Task<ApplicationState> WantAsync(ClientCertificates wanted) =>
        _proxy.SwitchAsync(_backend.Address, change: snapshot => snapshot.Tls = new TlsSettings { ClientCertificates = wanted });

    private Task<RawConnection> ConnectAsync(TestCertificate? shown, RunningProxy? proxy = null) => _authority.ConnectAsync(
        (proxy ?? _proxy).TlsAddress, static (socket, tls) => new RawConnection(socket, tls), change: options => options.ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(CertificateOf(shown), null, offline: true));

    // In TLS 1.3 a client has done with the handshake before it is told what comes of it.
    private async Task AssertRefusedAsync(TestCertificate shown, RunningProxy? proxy = null)
    {
        try
        {
            await using var client = await ConnectAsync(shown, proxy);
            await client.TrySendAsync($"GET / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\n\r\n");
            Assert.Equal("", await client.TryReadToEndAsync() ?? "");
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            // As it should be.
        }
    }

    private async Task<string> AskAsync(TestCertificate shown, RunningProxy proxy)
    {
        await using var client = await ConnectAsync(shown, proxy);
        return await AskAsync(client);
    }

    private static async Task<string> AskAsync(RawConnection client)
    {
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\n\r\n");
        return await client.ReadMessageAsync();
    }

    private static X509Certificate2 CertificateOf(TestCertificate certificate) => X509Certificate2.CreateFromPem(certificate.Chain, certificate.Key);
}
