using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Wunderproxy.Controller.Acme;

/// <summary>How each request to an ACME server is signed: ES256, in the flattened form.</summary>
/// <remarks>Source: RFC 8555, section 6.2; RFC 7515, section 7.2.2; RFC 7518, section 3.4.</remarks>
internal static class JsonWebSignature
{
    /// <summary>Signs a request.</summary>
    /// <param name="key">The account's key, on the curve P-256.</param>
    /// <param name="account">The account's URL; absent: there is none yet, and the key itself is sent.</param>
    /// <param name="nonce">The server's nonce.</param>
    /// <param name="url">Where the request goes.</param>
    /// <param name="payload">JSON; empty for a request that only reads (section 6.3).</param>
    /// <returns>The body of the request.</returns>
    public static byte[] Sign(ECDsa key, string? account, string nonce, string url, ReadOnlySpan<byte> payload)
    {
        var header = Base64Url.EncodeToString(HeaderOf(key, account, nonce, url));
        var content = Base64Url.EncodeToString(payload);
        var signature = key.SignData(Encoding.ASCII.GetBytes($"{header}.{content}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return JsonSerializer.SerializeToUtf8Bytes(new SignedRequest(header, content, Base64Url.EncodeToString(signature)), AcmeJson.Default.SignedRequest);
    }

    /// <summary>What tells a key from all others.</summary>
    /// <remarks>Source: RFC 7638, section 3: the required members only, in the order of their names, without white space.</remarks>
    public static string Thumbprint(ECDsa key)
    {
        var jwk = JwkOf(key);
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"{{jwk.Crv}}","kty":"{{jwk.Kty}}","x":"{{jwk.X}}","y":"{{jwk.Y}}"}""")));
    }

    private static byte[] HeaderOf(ECDsa key, string? account, string nonce, string url) =>
        JsonSerializer.SerializeToUtf8Bytes(new SignatureHeader("ES256", account is null ? JwkOf(key) : null, account, nonce, url), AcmeJson.Default.SignatureHeader);

    private static JsonWebKey JwkOf(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new JsonWebKey("P-256", "EC", Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
    }
}

/// <summary>The public part of an account's key.</summary>
internal sealed record JsonWebKey(string Crv, string Kty, string X, string Y);

/// <summary>What is signed beside the payload.</summary>
internal sealed record SignatureHeader(string Alg, JsonWebKey? Jwk, string? Kid, string Nonce, string Url);

/// <summary>A signed request.</summary>
internal sealed record SignedRequest(string Protected, string Payload, string Signature);
