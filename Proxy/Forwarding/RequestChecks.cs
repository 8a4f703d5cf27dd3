using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Refuses requests that two parties could read differently. What passes here is forwarded byte for byte.</summary>
internal static class RequestChecks
{
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> NameChars = SearchValues.Create("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> TargetChars = SearchValues.Create([.. Enumerable.Range('\x21', 0x5E).Select(c => (char)c).Where(c => c != '#')]);

    private static readonly SearchValues<char> ControlChars =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (char)c).Where(c => c != '\t'), '\x7F']);

    private static readonly HashSet<string> KnownMethods = new(StringComparer.OrdinalIgnoreCase)
    {
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "QUERY",
    };

    /// <summary>Looks for the first reason to refuse a request.</summary>
    /// <returns>The answer; <see langword="null"/> if there is no reason.</returns>
    public static Problem? Refuse(HttpContext context) =>
        RefuseMethod(context)
        ?? RefuseTarget(RawTargetOf(context))
        ?? RefuseConnectionHeaders(context.Request)
        ?? RefuseFraming(context.Request)
        ?? RefuseHeaders(context.Request.Headers)
        ?? RefuseHost(context.Request);

    /// <summary>Whether a header can be sent on: its name is a token, and its values have no control characters but tabs.</summary>
    public static bool IsValid(string name, StringValues values) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(TokenChars) && !HasControls(values);

    /// <summary>Whether there is a control character that isn't a tab.</summary>
    public static bool HasControls(StringValues values)
    {
        foreach (var value in values)
        {
            if (value.AsSpan().ContainsAny(ControlChars))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The request's target as the client sent it.</summary>
    /// <remarks>It is asked for often, and the server's collection of features is this feature itself: to look it up would cost ten times as much.</remarks>
    public static string RawTargetOf(HttpContext context) =>
        (context.Features as IHttpRequestFeature ?? context.Features.GetRequiredFeature<IHttpRequestFeature>()).RawTarget;

    /// <summary>Where the request is addressed to.</summary>
    public static RequestPlace PlaceOf(HttpContext context) => new(context.Request.Host.Value, OriginFormOf(RawTargetOf(context)));

    /// <summary>Path and query as the application gets them.</summary>
    /// <param name="context">The request.</param>
    /// <param name="prefix">What the application doesn't see at the beginning of the path; absent: it sees all.</param>
    /// <returns>What is left may lack its leading slash.</returns>
    public static ReadOnlySpan<char> TargetOf(HttpContext context, string? prefix) =>
        prefix is null ? OriginFormOf(RawTargetOf(context)) : PlaceOf(context).Behind(prefix);

    /// <summary>Whether a request says that its answer may be long in coming: it asks for events, or for a long poll (RFC 7240, section 4.3).</summary>
    public static bool WaitsLong(HttpRequest request) =>
        (request.Headers.Accept is [{ } accepted, ..] && IsEventStream(accepted))
        || (request.Headers.TryGetValue("Prefer", out var preferences) && preferences.ToString().Contains("wait=", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a media type is that of an answer that stays open.</summary>
    public static bool IsEventStream(string type) => type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

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

    private static Problem? RefuseMethod(HttpContext context)
    {
        var method = context.Request.Method;
        if (method is "GET" or "POST" or "HEAD")
        {
            return null;
        }

        if (method is "CONNECT" && context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: var protocol })
        {
            return Upgrade.IsWebSocket(protocol) ? null : Problem.Refused(StatusCodes.Status501NotImplemented, "The only protocol that is served by CONNECT is that of WebSockets.");
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
        target.AsSpan().ContainsAnyExcept(TargetChars)
            ? Problem.Refused(StatusCodes.Status400BadRequest, "The request's target has bytes that must be percent-encoded.")
            : HasUser(target) ? Problem.Refused(StatusCodes.Status400BadRequest, "The request's target names a user before the host.")
            : null;

    // http://shop@evil/ reads like one host and means another.
    private static bool HasUser(ReadOnlySpan<char> target) =>
        !target.StartsWith('/') && target[..^OriginFormOf(target).Length].Contains('@');

    // Kestrel itself refuses Connection, and TE but for trailers. Source: RFC 9113, section 8.2.2.
    private static Problem? RefuseConnectionHeaders(HttpRequest request) => HttpProtocol.IsHttp2(request.Protocol)
        && request.Headers is var headers
        && (headers.TransferEncoding.Count | headers.Upgrade.Count | headers.KeepAlive.Count | headers.ProxyConnection.Count) > 0
            ? Problem.Refused(StatusCodes.Status400BadRequest, "HTTP/2 has no headers that are meant for the connection.")
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

    // Applications would read it in many ways.
    private static Problem? RefuseHost(HttpRequest request) => request.Headers.Host.Count == 0 || NamesHost(request.Host)
        ? null
        : Problem.Refused(StatusCodes.Status400BadRequest, "The Host header names no host.");

    private static bool NamesHost(HostString host) => IsPlain(host.Value)
        || (host.HasValue && Uri.CheckHostName(host.Host) != UriHostNameType.Unknown && host.Port is null or <= ushort.MaxValue);

    private static bool IsPlain(ReadOnlySpan<char> host) =>
        RequestPlace.WithoutPort(host) is var name && IsPlainName(name) && (name.Length == host.Length || ushort.TryParse(host[(name.Length + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _));

    // What nearly all requests say, without taking it apart.
    private static bool IsPlainName(ReadOnlySpan<char> host) =>
        host.Length > 0 && char.IsAsciiLetterOrDigit(host[0]) && !host.ContainsAnyExcept(NameChars) && host.IndexOf("..") < 0;

    private static Problem? RefuseHeaders(IHeaderDictionary headers)
    {
        foreach (var header in headers)
        {
            if (!IsValid(header.Key, header.Value))
            {
                return Problem.Refused(StatusCodes.Status400BadRequest, "A header has a character that headers can't have.");
            }
        }

        return null;
    }
}
