using System.Buffers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Wunderproxy.Proxy.Acme;

/// <summary>The two challenges that are answered here.</summary>
internal static class AcmeChallenge
{
    /// <summary>Where tokens of HTTP-01 are asked for (RFC 8555, section 8.3).</summary>
    public const string Path = "/.well-known/acme-challenge/";

    private const int LongestToken = 128;
    private const string AcmeIdentifier = "1.3.6.1.5.5.7.1.31";

    private static readonly SearchValues<char> TokenChars = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>The protocol of a handshake for TLS-ALPN-01 (RFC 8737, section 3).</summary>
    public static SslApplicationProtocol Protocol { get; } = new("acme-tls/1");

    /// <summary>The token that a request asks for.</summary>
    /// <param name="target">Path and query.</param>
    /// <returns>Absent: it asks for something else.</returns>
    public static string? TokenIn(ReadOnlySpan<char> target) =>
        target.StartsWith(Path, StringComparison.Ordinal) && target[Path.Length..] is { Length: > 0 and <= LongestToken } token && !token.ContainsAnyExcept(TokenChars)
            ? token.ToString()
            : null;

    /// <summary>What a handshake for TLS-ALPN-01 is made with: a certificate that nobody else would take, with the proof in it.</summary>
    /// <remarks>Source: RFC 8737, section 3.</remarks>
    public static SslServerAuthenticationOptions Prove(string host, string keyAuthorization, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=ACME challenge", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509Extension(AcmeIdentifier, OctetString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization))), critical: true));
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [Protocol],
            AllowRenegotiation = false,
            AllowTlsResume = false,
        };
    }

    private static byte[] OctetString(byte[] content) => [0x04, (byte)content.Length, .. content];
}
