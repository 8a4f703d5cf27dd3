using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Proxy.Relaying;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Says who the client is and what it asked for: <c>X-Forwarded-For</c>, <c>-Proto</c>, <c>-Host</c>, and <c>-Client-Subject</c> where it has shown a certificate.</summary>
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
    private const string ClientSubject = "X-Forwarded-Client-Subject";
    private const string Prefix = "X-Forwarded-";

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
            return twin.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || FramingHeaders.Contains(twin);
        }

        return name.Equals("Forwarded", StringComparison.OrdinalIgnoreCase)
            || (!isTrusted && name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether <see cref="Write"/> writes a header instead of the client's.</summary>
    public static bool IsReplaced(string name, Peer peer) =>
        name.Equals(For, StringComparison.OrdinalIgnoreCase) || (peer.ClientSubject is not null && name.Equals(ClientSubject, StringComparison.OrdinalIgnoreCase));

    /// <summary>Writes the headers of a request that came from the given peer, whose own ones were left out where they are misleading or replaced.</summary>
    public static void Write(HttpRequest request, Peer peer, HeadWriter head)
    {
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

    private static StringValues ForValue(StringValues former, Peer peer)
    {
        if (!peer.IsTrusted || former.Count == 0)
        {
            return peer.Address is "" ? StringValues.Empty : peer.Address;
        }

        return peer.Address is "" ? former : $"{string.Join(", ", former.ToArray())}, {peer.Address}";
    }
}
