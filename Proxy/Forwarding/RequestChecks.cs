using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Refuses requests that two parties could read differently. What passes here is forwarded byte for byte.</summary>
internal static class RequestChecks
{
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly HashSet<string> KnownMethods = new(StringComparer.OrdinalIgnoreCase)
    {
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY",
    };

    /// <summary>Looks for the first reason to refuse a request, the names of its headers aside: <see cref="RefuseHeaderNames"/>.</summary>
    /// <returns>The answer; <see langword="null"/> if there is no reason.</returns>
    public static Problem? Refuse(HttpContext context) =>
        RefuseMethod(context.Request.Method)
        ?? RefuseTarget(RawTargetOf(context))
        ?? RefuseFraming(context.Request);

    /// <summary>The request's target as the client sent it.</summary>
    public static string RawTargetOf(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    /// <summary>Where the request is addressed to.</summary>
    public static RequestPlace PlaceOf(HttpContext context) => new(context.Request.Host.Value, OriginFormOf(RawTargetOf(context)));

    /// <summary>What follows scheme and host, where a client sends the whole URI; else the target as it is.</summary>
    public static ReadOnlySpan<char> OriginFormOf(ReadOnlySpan<char> target)
    {
        var scheme = target.StartsWith('/') ? -1 : target.IndexOf("://");
        if (scheme < 0)
        {
            return target;
        }

        var rest = target[(scheme + 3)..];
        var path = rest.IndexOfAny('/', '?');
        return path < 0 ? "/" : rest[path..];
    }

    private static Problem? RefuseMethod(string method)
    {
        if (method is "GET" or "POST" or "HEAD")
        {
            return null;
        }

        if (method is "TRACE" or "CONNECT")
        {
            return Problem.Refused(StatusCodes.Status405MethodNotAllowed, $"The method {method} is not served.");
        }

        // The connection to the application would write a known method in capitals, whatever the client wrote.
        return KnownMethods.TryGetValue(method, out var known) && known != method
            ? Problem.Refused(StatusCodes.Status400BadRequest, $"Methods are case-sensitive: {known} was probably meant.")
            : null;
    }

    private static Problem? RefuseTarget(string target) =>
        target.AsSpan().ContainsAnyExceptInRange('\x21', '\x7E')
            ? Problem.Refused(StatusCodes.Status400BadRequest, "The request's target has bytes that must be percent-encoded.")
            : null;

    private static Problem? RefuseFraming(HttpRequest request)
    {
        var encodings = request.Headers.TransferEncoding;
        if (encodings.Count == 0)
        {
            return null;
        }

        // Kestrel has renamed a Content-Length that came with a Transfer-Encoding.
        if (request.Headers.ContainsKey("X-Content-Length") || request.Headers.ContentLength is not null)
        {
            return Problem.Refused(StatusCodes.Status400BadRequest, "A request has Content-Length or Transfer-Encoding, not both.");
        }

        if (request.Protocol == HttpProtocol.Http10)
        {
            return Problem.Refused(StatusCodes.Status400BadRequest, "HTTP/1.0 has no Transfer-Encoding.");
        }

        return encodings.Count > 1
            ? Problem.Refused(StatusCodes.Status400BadRequest, "Transfer-Encoding stands there more than once.")
            : RefuseEncoding(encodings);
    }

    private static Problem? RefuseEncoding(StringValues encoding) =>
        string.Equals(encoding, "chunked", StringComparison.OrdinalIgnoreCase)
            ? null
            : Problem.Refused(StatusCodes.Status501NotImplemented, "The only Transfer-Encoding that is served is chunked.");

    /// <summary>Refuses names that no header can have. For requests that YARP forwards; where a head is written, it is checked there.</summary>
    public static Problem? RefuseHeaderNames(IHeaderDictionary headers)
    {
        foreach (var header in headers)
        {
            if (header.Key.AsSpan().ContainsAnyExcept(TokenChars))
            {
                return Problem.Refused(StatusCodes.Status400BadRequest, "The name of a header has a character that names can't have.");
            }
        }

        return null;
    }
}
