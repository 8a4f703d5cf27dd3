using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Wunderproxy.Controller.Acme;

/// <summary>When a certificate is renewed. Pure.</summary>
internal static class Renewal
{
    private const double PartOfLife = 2.0 / 3;

    // Certificates that were issued together are not renewed together.
    private const double Spread = 0.05;

    // A server that always wants it at once must not make us order all the time.
    private static readonly TimeSpan Shortest = TimeSpan.FromHours(6);

    /// <summary>Longest time until the server is asked again.</summary>
    public static readonly TimeSpan LongestAsk = TimeSpan.FromDays(1);

    private static readonly TimeSpan ShortestAsk = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan UsualAsk = TimeSpan.FromHours(6);

    /// <summary>Where the server has no wishes: at two thirds of its life, less up to a twentieth of it.</summary>
    /// <param name="notBefore">Begin of its life.</param>
    /// <param name="notAfter">End of its life.</param>
    /// <param name="random">From 0 to 1.</param>
    public static DateTimeOffset AtTwoThirds(DateTimeOffset notBefore, DateTimeOffset notAfter, double random) =>
        notBefore + ((notAfter - notBefore) * (PartOfLife - (Spread * random)));

    /// <summary>Within the time that the server suggests; one that is past means: now, but not within 6 h after it was issued.</summary>
    /// <param name="window">The time.</param>
    /// <param name="planned">What was chosen before, which stays where it is within.</param>
    /// <param name="issuedAt">When it was issued.</param>
    /// <param name="notAfter">End of the certificate's life, before which it is renewed whatever the server says.</param>
    /// <param name="random">From 0 to 1.</param>
    /// <remarks>Source: RFC 9773, section 4.2.</remarks>
    public static DateTimeOffset Within(RenewalWindow window, DateTimeOffset planned, DateTimeOffset issuedAt, DateTimeOffset notAfter, double random)
    {
        var isSane = window.End > window.Start && window.Start < notAfter;
        var isWithin = planned >= window.Start && planned <= window.End;
        var chosen = !isSane || isWithin ? planned : window.Start + ((Earlier(window.End, notAfter) - window.Start) * random);
        return chosen < planned && chosen < issuedAt + Shortest ? Earlier(planned, issuedAt + Shortest) : chosen;
    }

    /// <summary>How long until the server is asked again.</summary>
    /// <param name="retryAfter">What it says.</param>
    public static TimeSpan AskAfter(TimeSpan? retryAfter) => retryAfter is not { } wanted ? UsualAsk : wanted < ShortestAsk ? ShortestAsk : wanted > LongestAsk ? LongestAsk : wanted;

    /// <summary>How a server is told which certificate is meant.</summary>
    /// <returns>Absent: the certificate doesn't say whose key it was signed with.</returns>
    /// <remarks>Source: RFC 9773, section 4.1.</remarks>
    public static string? IdOf(string chain)
    {
        using var certificate = X509Certificate2.CreateFromPem(chain);
        return certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } authority
            ? $"{Base64Url.EncodeToString(authority.Span)}.{Base64Url.EncodeToString(certificate.SerialNumberBytes.Span)}"
            : null;
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}

/// <summary>How long nothing is tried after a failure. Pure.</summary>
internal static class AcmeBackoff
{
    /// <summary>Longest time that a server is left alone.</summary>
    public static readonly TimeSpan LongestLimit = TimeSpan.FromDays(14);

    /// <summary>Longest time that it is left alone about other hosts, too.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan ShortestLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UsualLimit = TimeSpan.FromHours(1);

    private const double Spread = 0.2;
    private const int MostDoublings = 20;

    /// <summary>Twice as long as before, up to a limit, up to a fifth longer.</summary>
    /// <param name="failures">How many there were, this one included.</param>
    /// <param name="first">After the first one.</param>
    /// <param name="longest">The limit.</param>
    /// <param name="random">From 0 to 1.</param>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan longest, double random)
    {
        var pause = first * Math.Pow(2, Math.Clamp(failures - 1, 0, MostDoublings));
        return (pause < longest ? pause : longest) * (1 + (Spread * random));
    }

    /// <summary>After the server has said that a limit is reached: as long as it wants, or an hour where it doesn't say.</summary>
    public static TimeSpan AfterLimit(TimeSpan? retryAfter) => retryAfter is not { } wanted ? UsualLimit : wanted < ShortestLimit ? ShortestLimit : wanted > LongestLimit ? LongestLimit : wanted;

    /// <summary>How long other hosts' certificates wait then, too: the limit may be the account's or only that of the host, which may last for days.</summary>
    public static TimeSpan PauseOfAll(TimeSpan limit) => limit < LongestPause ? limit : LongestPause;
}
