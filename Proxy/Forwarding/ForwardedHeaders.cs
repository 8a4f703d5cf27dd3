using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Proxy.Relaying;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Says who the client is and what it asked for: <c>X-Forwarded-For</c>, <c>-Proto</c>, <c>-Host</c>, <c>-Prefix</c> where the application doesn't see the beginning of the path, <c>-Client-Subject</c> where the client has shown a certificate.</summary>
/// <remarks>
/// What a client says about itself in such headers is dropped, unless it is a trusted proxy: then its own address is appended to
/// <c>X-Forwarded-For</c> and the rest is kept. <c>Forwarded</c> is always dropped: it would say the same in another language, and only
/// one can be right. Applications often read <c>X_Forwarded_For</c> as the same name (as CGI does), so names that turn into one of these
/// headers, or into one that frames messages, by reading underscores as hyphens are dropped; other names with underscores pass.
/// </remarks>
internal static class ForwardedHeaders
{
    private const string For = "X-Forwarded-For";
    private const string Proto = "X-Forwarded-Proto";
    private const string Host = "X-Forwarded-Host";
    private const string PathPrefix = "X-Forwarded-Prefix";
    private const string ClientSubject = "X-Forwarded-Client-Subject";
    private const string Beginning = "X-Forwarded-";

    private static readonly HashSet<string> FramingHeaders = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Length", "Transfer-Encoding", "Keep-Alive", "Proxy-Connection",
    };

    /// <summary>Whether a header says, or could be taken to say, who the client is or how long its message is, and isn't to be believed.</summary>
    public static bool IsMisleading(string name, bool isTrusted)
    {
        if (name.Contains('_', StringComparison.Ordinal))
        {
            var twin = name.Replace('_', '-');
            return twin.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase) || FramingHeaders.Contains(twin);
        }

        return name.Equals("Forwarded", StringComparison.OrdinalIgnoreCase)
            || (!isTrusted && name.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The scheme that the client used: as a trusted proxy says, which has the one of the client first, else as it is connected here.</summary>
    public static string SchemeOf(HttpRequest request, Peer peer) => peer.IsTrusted && request.Headers[Proto] is [{ Length: > 0 } said, ..]
        ? said.Split(',')[0].Trim().ToLowerInvariant()
        : request.Scheme;

    /// <summary>Whether <see cref="Write"/> writes a header instead of the client's.</summary>
    /// <param name="name">The header's name.</param>
    /// <param name="peer">Who sent the request.</param>
    /// <param name="prefix">What the application doesn't see of the path; absent: it sees all.</param>
    public static bool IsReplaced(string name, Peer peer, string? prefix) =>
        name.Equals(For, StringComparison.OrdinalIgnoreCase)
        || (prefix is not null && name.Equals(PathPrefix, StringComparison.OrdinalIgnoreCase))
        || (peer.ClientSubject is not null && name.Equals(ClientSubject, StringComparison.OrdinalIgnoreCase));

    /// <summary>Writes the headers of a request that came from the given peer, whose own ones were left out where they are misleading or replaced.</summary>
    /// <param name="request">The request.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="prefix">What the application doesn't see of the path; absent: it sees all.</param>
    /// <param name="head">Where to.</param>
    public static void Write(HttpRequest request, Peer peer, string? prefix, HeadWriter head)
    {
        if (prefix is not null)
        {
            head.WriteField(PathPrefix, PrefixValue(peer.IsTrusted ? request.Headers[PathPrefix] : StringValues.Empty, prefix));
        }

        var headers = request.Headers;
        var former = peer.IsTrusted ? headers[For] : StringValues.Empty;
        foreach (var value in ForValue(former, peer))
        {
            head.WriteField(For, value);
        }

        if (peer.ClientSubject is { } subject)
        {
            head.WriteField(ClientSubject, subject);
        }

        if (!peer.IsTrusted || !headers.ContainsKey(Proto))
        {
            head.WriteField(Proto, request.Scheme);
        }

        if ((!peer.IsTrusted || !headers.ContainsKey(Host)) && headers.Host is [{ } host])
        {
            head.WriteField(Host, host);
        }
    }

    // A proxy in front may have taken something away as well.
    private static string PrefixValue(StringValues former, string prefix) => former.Count == 0 ? prefix : former.ToString().TrimEnd('/') + prefix;

    private static StringValues ForValue(StringValues former, Peer peer)
    {
        if (!peer.IsTrusted || former.Count == 0)
        {
            return peer.Address is "" ? StringValues.Empty : peer.Address;
        }

        return peer.Address is "" ? former : $"{string.Join(", ", former.ToArray())}, {peer.Address}";
    }
}
