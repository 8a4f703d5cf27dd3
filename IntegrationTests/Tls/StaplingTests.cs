using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>What an authority says of a certificate that names a responder, handed to clients in the handshake (RFC 6066, section 8).</summary>
public sealed class StaplingTests : IAsyncDisposable
{
    private const string Stapled = "OCSP Response Status: successful";
    private const string Without = "OCSP response: no response sent";

    private readonly TestAuthority _authority = new();
    private readonly OcspResponder _responder = new();

    public async ValueTask DisposeAsync()
    {
        await _responder.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task Answer_of_the_responder_is_stapled_once_it_is_there_and_no_client_waits_for_it()
    {
        OpenSsl.SkipUnlessInstalled();
        var certificate = Write();
        await using var proxy = await RunningProxy.StartAsync(_authority.Offer);
        Assert.Contains(Without, await HandshakeAsync(proxy), StringComparison.Ordinal);

        await _responder.StartAsync(_authority, certificate);
        await using var restarted = await RunningProxy.StartAsync(_authority.Offer);

        await Eventually.HoldsAsync("the answer is stapled", async _ => await HandshakeAsync(restarted) is var said && said.Contains(Stapled, StringComparison.Ordinal) && said.Contains("Cert Status: good", StringComparison.Ordinal));
    }

    private TestCertificate Write()
    {
        var issued = _authority.Issue([TestAuthority.Host], responder: _responder.Address);
        TestAuthority.WriteFile(_authority.At(TestAuthority.Host) + ".crt", issued.Chain + "\n" + File.ReadAllText(_authority.RootFile));
        TestAuthority.WriteKey(_authority.At(TestAuthority.Host) + ".key", issued.Key);
        return issued;
    }

    private Task<string> HandshakeAsync(RunningProxy proxy) => OpenSsl.ConnectAsync(proxy.TlsAddress, _authority, "", "-servername", TestAuthority.Host, "-status");
}
