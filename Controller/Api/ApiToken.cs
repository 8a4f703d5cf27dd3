using System.Security.Cryptography;
using System.Text;

namespace Wunderproxy.Controller.Api;

/// <summary>The secret that callers who change something have to show; it is never logged and never answered.</summary>
internal sealed class ApiToken
{
    /// <summary>Shorter ones could be guessed.</summary>
    public const int ShortestLength = 20;

    private const string Scheme = "Bearer ";

    private readonly byte[] _digest;

    public ApiToken(string text)
    {
        Header = Scheme + text;
        _digest = DigestOf(text);
    }

    /// <summary>The <c>Authorization</c> header that shows it (RFC 6750, section 2.1).</summary>
    public string Header { get; }

    /// <summary>Whether a text can be a token: visible ASCII, as a header holds it.</summary>
    public static bool IsOne(string text) => text.Length >= ShortestLength && text.All(c => c is > ' ' and <= '~');

    /// <summary>Whether an <c>Authorization</c> header shows it. How long that takes tells nothing about the secret.</summary>
    public bool IsShownIn(string? header) => header is not null
        && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(DigestOf(header[Scheme.Length..].Trim()), _digest);

    public override string ToString() => "(secret)";

    private static byte[] DigestOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
