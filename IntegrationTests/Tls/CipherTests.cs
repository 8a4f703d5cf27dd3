namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>What is told to OpenSSL once for the whole process, so in a process of its own.</summary>
public sealed class CipherTests(ExecutableOverTls proxy) : IClassFixture<ExecutableOverTls>
{
    [Theory]
    [InlineData("AES128-GCM-SHA256")]
    [InlineData("AES256-SHA")]
    [InlineData("ECDHE-ECDSA-AES128-SHA")]
    [InlineData("ECDHE-ECDSA-AES256-SHA")]
    [InlineData("ECDHE-ECDSA-AES128-SHA256")]
    [InlineData("ECDHE-ECDSA-AES256-SHA384")]
    [InlineData("ECDHE-ECDSA-AES256-CCM")]
    [InlineData("NULL")]
    [InlineData("aNULL")]
    public async Task Ciphers_without_forward_secrecy_or_that_do_not_encrypt_and_authenticate_in_one_are_refused(string cipher) =>
        Assert.Contains("handshake failure", await HandshakeAsync("-tls1_2", "-cipher", cipher + "@SECLEVEL=0"), StringComparison.Ordinal);

    [Theory]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384")]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305")]
    public async Task Cipher_is_the_proxys_choice_unless_the_client_would_rather_do_without_aes(string offered, string chosen) =>
        Assert.Contains($"Cipher is {chosen}\n", await HandshakeAsync("-tls1_2", "-cipher", offered), StringComparison.Ordinal);

    [Theory]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public async Task Session_is_resumed(string version)
    {
        var session = proxy.Authority.At("session");

        // Tickets of TLS 1.3 come with the answer.
        Assert.DoesNotContain("Reused", await HandshakeAsync(version, "-sess_out", session, "-ign_eof"), StringComparison.Ordinal);

        Assert.Contains("Reused", await HandshakeAsync(version, "-sess_in", session), StringComparison.Ordinal);
    }

    private Task<string> HandshakeAsync(params IEnumerable<string> options)
    {
        OpenSsl.SkipUnlessInstalled();
        const string request = $"GET / HTTP/1.1\r\nHost: {TestAuthority.Host}\r\nConnection: close\r\n\r\n";
        return OpenSsl.ConnectAsync(proxy.Address, proxy.Authority, request, ["-servername", TestAuthority.Host, .. options]);
    }
}
