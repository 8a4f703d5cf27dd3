using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Wunderproxy.Proxy.Tls;

/// <summary>What a client has said about itself in the handshake; a feature of its connection.</summary>
/// <param name="WasAsked">Whether it was asked for a certificate.</param>
/// <param name="Subject">The subject of the one that it has shown, such as <c>CN=alice, O=Shop</c>, percent-encoded but for printable ASCII; absent: none.</param>
internal sealed record ClientIdentity(bool WasAsked, string? Subject)
{
    private const int LongestSubject = 1024;

    /// <summary>What a certificate that was found to be valid says.</summary>
    public static string SubjectOf(X509Certificate2 certificate) => string.Concat(certificate.Subject.EnumerateRunes().Select(Encoded));

    /// <summary>Whether an application can be told its subject as a whole: a part of it may be somebody else's.</summary>
    public static bool CanBeTold(X509Certificate certificate) => certificate.Subject.Length is > 0 and <= LongestSubject;

    private static string Encoded(Rune rune) =>
        rune.Value is >= ' ' and <= '~' and not '%' ? rune.ToString() : string.Concat(Encoding.UTF8.GetBytes(rune.ToString()).Select(value => $"%{value:X2}"));
}
