using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.IntegrationTests.Tls;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>The Proxy's part in automatic certificates, over its real sockets.</summary>
public sealed class AcmeProxyTests : IAsyncLifetime
{
    private const string Host = "auto.example";
    private const string Thumbprint = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TestAuthority _authority = new();
    private readonly RawBackend _backend = new();
    private RunningProxy _proxy = null!;
    private ProxyControlClient _control = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync(_authority.Offer);
        _control = new ProxyControlClient(_proxy.Options.ControlSocket, TimeProvider.System);
        await _proxy.SwitchAsync(_backend.Address);
    }

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        await _proxy.DisposeAsync();
        await _backend.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task Any_token_is_answered_for_automatic_hosts_and_other_requests_go_to_the_application()
    {
        await SetAsync(Settings());

        Assert.EndsWith($"\r\n\r\nsome-token.{Thumbprint}", await AskAsync(Host, "/.well-known/acme-challenge/some-token"), StringComparison.Ordinal);
        Assert.EndsWith($"\r\n\r\nsome-token.{Thumbprint}", await AskAsync("AUTO.example.:80", "/.well-known/acme-challenge/some-token"), StringComparison.Ordinal);
        foreach (var (host, path) in new[] { ("other.example", "/.well-known/acme-challenge/some-token"), (Host, "/.well-known/acme-challenge/"), (Host, "/.well-known/acme-challenge/a/b"), (Host, "/.well-known/acme-challenge/a?b"), (Host, "/") })
        {
            await AssertForwardedAsync(host, path);
        }

        await _control.RemoveAcmeAsync("shop", "i1", default);
        await AssertForwardedAsync(Host, "/.well-known/acme-challenge/some-token");
    }

    [Fact]
    public async Task Application_that_is_forgotten_leaves_its_hosts_to_others()
    {
        await SetAsync(Settings());

        await _proxy.CallAsync(HttpMethod.Delete, "/applications/shop?installation=i1");

        await _control.SetAcmeAsync("other", Settings() with { Installation = "i2" }, default);
        Assert.DoesNotContain(Thumbprint, await AskAsync("x.example", "/.well-known/acme-challenge/t"), StringComparison.Ordinal);
        Assert.Contains(Thumbprint, await AskAsync(Host, "/.well-known/acme-challenge/t"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Challenge_is_answered_where_all_else_is_sent_to_https()
    {
        await _proxy.SwitchAsync(_backend.Address, "c1", snapshot => snapshot.Routing = new Routing { Redirect = new Redirect { Https = true } });
        await SetAsync(Settings());

        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(Host, "/.well-known/acme-challenge/t"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 301 ", await AskAsync(Host, "/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Challenge_is_answered_without_an_application_that_serves()
    {
        await _proxy.PutAsync(_proxy.SnapshotOf(null));
        await SetAsync(Settings());

        Assert.StartsWith("HTTP/1.1 200 ", await AskAsync(Host, "/.well-known/acme-challenge/t"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Validator_that_comes_before_the_account_is_known_waits_for_it()
    {
        await SetAsync(Settings() with { AccountThumbprint = null });

        var answer = AskAsync(Host, "/.well-known/acme-challenge/t");
        await Eventually.HoldsAsync("the Controller is told", async _ => (await SetAsync(Settings() with { AccountThumbprint = null })).Awaited is [Host]);
        await SetAsync(Settings());

        Assert.EndsWith($"\r\n\r\nt.{Thumbprint}", await answer, StringComparison.Ordinal);
        Assert.Empty((await SetAsync(Settings())).Awaited);
    }

    [Fact]
    public async Task Handshake_of_a_validator_waits_for_the_token_gets_the_proof_and_ends_the_connection()
    {
        await SetAsync(Settings());

        var handshake = SecureClient.ConnectAsync(_proxy.TlsAddress, Host, AcmeChallenge.Protocol);
        await Eventually.HoldsAsync("the Controller is told", async _ => (await SetAsync(Settings())).Awaited is [Host]);
        await SetAsync(Settings() with { Tokens = new Dictionary<string, string> { [Host] = "token" } });

        await using var validator = await handshake;
        var proof = validator.Shown.Extensions.Single(extension => extension.Oid!.Value == "1.3.6.1.5.5.7.1.31");
        Assert.True(proof.Critical);
        Assert.Equal([0x04, 0x20, .. SHA256.HashData(Encoding.ASCII.GetBytes($"token.{Thumbprint}"))], proof.RawData);
        Assert.Equal([Host], validator.Shown.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames());
        Assert.Equal(AcmeChallenge.Protocol, validator.Protocol);
        Assert.Equal(0, await validator.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task Validator_of_a_host_that_is_not_automatic_is_refused_at_once_and_clients_notice_nothing()
    {
        await SetAsync(Settings());

        await Assert.ThrowsAnyAsync<AuthenticationException>(() => SecureClient.ConnectAsync(_proxy.TlsAddress, TestAuthority.Host, AcmeChallenge.Protocol));

        await using var client = await SecureClient.ConnectAsync(_proxy.TlsAddress, TestAuthority.Host, SslApplicationProtocol.Http2, AcmeChallenge.Protocol);
        Assert.Equal(SslApplicationProtocol.Http2, client.Protocol);
    }

    [Fact]
    public async Task Certificate_is_in_force_when_it_was_taken_and_after_a_restart_and_its_key_is_its_owners()
    {
        await SetAsync(Settings());
        var issued = _authority.Issue([Host]);

        await HandAsync(Host, issued);
        Assert.Equal(issued.SerialNumber, await ShownAsync(Host));
        Assert.Equal(FingerprintOf(issued), (await SetAsync(Settings())).Certificates[Host]);
        var renewed = _authority.Issue([Host]);
        await HandAsync(Host, renewed);
        Assert.Equal(renewed.SerialNumber, await ShownAsync(Host));

        await _proxy.RestartAsync();

        Assert.Equal(renewed.SerialNumber, await ShownAsync(Host));
        var file = Assert.Single(Directory.GetFiles(Path.Combine(_proxy.Options.StateDirectory, "certificates")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Contains((await _proxy.StatusAsync()).Certificates, certificate => certificate is { Name: $"{Host} (automatic)", Problem: null });
    }

    [Fact]
    public async Task What_can_not_be_used_is_refused_without_a_word_of_its_key_and_the_former_one_stays()
    {
        await SetAsync(Settings());
        var issued = _authority.Issue([Host]);
        await HandAsync(Host, issued);
        var other = _authority.Issue(["other.example"]);

        foreach (var wrong in new[] { other, issued with { Key = other.Key }, issued with { Key = issued.Key[..60] }, issued with { Chain = "" } })
        {
            var refused = await Assert.ThrowsAsync<ProxyException>(() => HandAsync(Host, wrong));
            Assert.DoesNotContain(wrong.Key[40..60], refused.Message, StringComparison.Ordinal);
        }

        await Assert.ThrowsAsync<ProxyException>(() => HandAsync("../../etc", issued));
        await Assert.ThrowsAsync<ProxyException>(() => HandAsync("UPPER.example", issued));
        Assert.Equal(issued.SerialNumber, await ShownAsync(Host));
    }

    [Fact]
    public async Task Stranger_may_neither_set_nor_take_over_nor_hand_anything()
    {
        await SetAsync(Settings());

        Assert.Contains("belongs to installation 'i1'", (await Assert.ThrowsAsync<ProxyException>(() => SetAsync(Settings() with { Installation = "i2" }))).Message, StringComparison.Ordinal);
        Assert.Contains("'auto.example'", (await Assert.ThrowsAsync<ProxyException>(() => _control.SetAcmeAsync("other", Settings() with { Installation = "i2" }, default))).Message, StringComparison.Ordinal);
        var issued = _authority.Issue([Host]);
        await Assert.ThrowsAsync<ProxyException>(() => _control.HandCertificateAsync("other", Host, Of(issued) with { Installation = "i2" }, default));
        Assert.Null(await ShownAsync(Host));
    }

    [Fact]
    public async Task Proxy_without_TLS_says_so()
    {
        await using var plain = await RunningProxy.StartAsync();
        using var control = new ProxyControlClient(plain.Options.ControlSocket, TimeProvider.System);
        await control.SetAcmeAsync("shop", Settings(), default);

        var refused = await Assert.ThrowsAsync<ProxyException>(() => control.HandCertificateAsync("shop", Host, Of(_authority.Issue([Host])), default));

        Assert.Contains("--listen-tls", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_that_asks_for_a_name_on_demand_waits_for_its_certificate_and_one_that_asks_for_no_name_is_refused()
    {
        await SetAsync(Settings() with { Hosts = ["*.customers.example"], OnDemand = true });
        Assert.Null(await ShownAsync("stranger.example"));
        Assert.Null(await ShownAsync("not_a_name.customers.example"));

        var shown = ShownAsync("one.customers.example");
        await Eventually.HoldsAsync("the Controller is told", async _ => (await SetAsync(Settings() with { Hosts = ["*.customers.example"], OnDemand = true })).Asked is ["one.customers.example"]);
        var issued = _authority.Issue(["one.customers.example"]);
        await HandAsync("one.customers.example", issued);

        Assert.Equal(issued.SerialNumber, await shown);
    }

    [Fact]
    public async Task Folder_of_the_host_need_not_exist_where_certificates_are_automatic()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { ListenTls = [ListenAddress.TryParse("127.0.0.1:0")!], Certificates = "/does/not/exist" });
        using var control = new ProxyControlClient(proxy.Options.ControlSocket, TimeProvider.System);
        Assert.Contains((await proxy.StatusAsync()).Certificates, certificate => certificate.Problem is not null);

        await control.HandCertificateAsync("shop", Host, Of(_authority.Issue([Host])), default);

        Assert.Null(Assert.Single((await proxy.StatusAsync()).Certificates).Problem);
    }

    private static AcmeSettings Settings() => new() { Installation = "i1", Hosts = [Host], AccountThumbprint = Thumbprint };

    private static IssuedCertificate Of(TestCertificate issued) => new() { Installation = "i1", Chain = issued.Chain, Key = issued.Key };

    private static string FingerprintOf(TestCertificate issued)
    {
        using var certificate = X509Certificate2.CreateFromPem(issued.Chain);
        return Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
    }

    private Task<AcmeState> SetAsync(AcmeSettings settings) => _control.SetAcmeAsync("shop", settings, default);

    private Task HandAsync(string host, TestCertificate issued) => _control.HandCertificateAsync("shop", host, Of(issued), default);

    private Task<string> AskAsync(string host, string path) => _proxy.ExchangeAsync($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

    private async Task AssertForwardedAsync(string host, string path)
    {
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync($"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        await using var application = await _backend.AcceptedAsync();
        Assert.StartsWith($"GET {path} HTTP/1.1\r\n", await application.ReadHeadAsync(), StringComparison.Ordinal);
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    private async Task<string?> ShownAsync(string host)
    {
        try
        {
            await using var client = await SecureClient.ConnectAsync(_proxy.TlsAddress, host);
            return client.Shown.SerialNumber;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return null;
        }
    }
}
