using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Fields that follow a request's body on its way to the application.</summary>
internal static class RequestTrailers
{
    // What decides about access, origin, routing or the length of a message counts at its head only. Source: RFC 9110, section 6.5.1.
    private static readonly HashSet<string> NeverTrailers = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Transfer-Encoding", "Trailer", "Connection", "Keep-Alive", "TE",
        "Upgrade", "Expect", "Range", "Max-Forwards", "Cache-Control", "Authorization", "Proxy-Authorization", "Cookie",
    };

    /// <summary>Whether a field may stand at the head of a message only.</summary>
    public static bool BelongsToHead(string name) => NeverTrailers.Contains(name);

    /// <summary>Trailers that may be passed on, as lines; absent: there are none. To be called when the body was read to its end.</summary>
    /// <exception cref="IOException">They can't be sent on.</exception>
    public static byte[]? Of(Exchange exchange)
    {
        if (exchange.Context.Features.Get<IHttpRequestTrailersFeature>() is not { Available: true, Trailers: { Count: > 0 } trailers })
        {
            return null;
        }

        if (!trailers.All(field => RequestChecks.IsValid(field.Key, field.Value)))
        {
            exchange.HasInvalidTrailers = true;
            throw new IOException("The request's trailers can't be sent on.");
        }

        var lines = trailers.Where(field => !BelongsToHead(field.Key) && !ForwardedHeaders.IsMisleading(field.Key, isTrusted: false) && !ForwardedHeaders.IsReplaced(field.Key))
            .SelectMany(field => field.Value.Select(value => $"{field.Key}: {value}\r\n"));
        return Encoding.Latin1.GetBytes(string.Concat(lines));
    }
}
