using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Previews;

/// <summary>Tells which clients are in the share of a release that stands by, always the same ones: by the value of a header, or by a cookie that each gets with its first answer.</summary>
/// <remarks>
/// A cookie is a random number and its HMAC-SHA256 with the application's name and the release, so nobody can make one or change the number that decides, and one that was given for another
/// release is none. The number lies at a place from 0 to 99, and those below the share's percent are in it: who is in stays in where the share grows, and who is out stays out where it shrinks.
/// </remarks>
/// <param name="canary">Its size, and the key.</param>
/// <param name="snapshot">The application, and under which path it is.</param>
/// <param name="release">The release that stands by.</param>
internal sealed class CanaryShare(Canary canary, ApplicationSnapshot snapshot, string release)
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "wunderproxy-canary";

    private const int Places = 100;
    private const int NumberBytes = 12;
    private const int NumberLength = 16;
    private const int CookieLength = NumberLength + 1 + 43;

    private readonly string _cookiePurpose = $"cookie\n{snapshot.Application}\n{release}\n";
    private readonly string _headerPurpose = $"header\n{snapshot.Application}\n{release}\n";

    /// <summary>Whether a request's client is in the share. One that is met for the first time gets its cookie with the answer.</summary>
    public bool Includes(Exchange exchange)
    {
        var headers = exchange.Context.Request.Headers;
        if (canary.Header is { } name && headers[name] is { Count: > 0 } values && values.ToString() is { Length: > 0 } value)
        {
            return PlaceOf(Sign(_headerPurpose + value)) < canary.Percent;
        }

        // What was given before this request was tried again may be of another release.
        var place = PlaceIn(exchange.GivenCookie) ?? PlaceIn(exchange.Context.Request.Cookies[Cookie]) ?? Give(exchange);
        return place < canary.Percent;
    }

    private int Give(Exchange exchange)
    {
        var number = RandomNumberGenerator.GetBytes(NumberBytes);
        var text = Base64Url.EncodeToString(number);
        exchange.GiveCookie($"{text}.{Base64Url.EncodeToString(Sign(_cookiePurpose + text))}", snapshot.Routing.PathPrefix);
        return PlaceOf(number);
    }

    // Absent: it is no cookie of ours, or one of another release.
    private int? PlaceIn(string? cookie)
    {
        if (cookie is not { Length: CookieLength } || cookie[NumberLength] != '.')
        {
            return null;
        }

        Span<byte> number = stackalloc byte[NumberBytes];
        Span<byte> signature = stackalloc byte[HMACSHA256.HashSizeInBytes];
        return Base64Url.TryDecodeFromChars(cookie.AsSpan(0, NumberLength), number, out _)
            && Base64Url.TryDecodeFromChars(cookie.AsSpan(NumberLength + 1), signature, out _)
            && CryptographicOperations.FixedTimeEquals(signature, Sign(_cookiePurpose + cookie[..NumberLength]))
            ? PlaceOf(number)
            : null;
    }

    private byte[] Sign(string text) => HMACSHA256.HashData(canary.Key, Encoding.UTF8.GetBytes(text));

    private static int PlaceOf(ReadOnlySpan<byte> bytes) => (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes) % Places);
}
