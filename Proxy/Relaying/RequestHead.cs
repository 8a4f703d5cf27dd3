using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Peers;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Writes a request's head as the application gets it, in one pass over the headers.</summary>
internal static class RequestHead
{
    /// <summary>Writes the head.</summary>
    /// <param name="exchange">The request, which was checked, less the headers that its <c>Connection</c> header nominates.</param>
    /// <param name="hasBody">Whether a body follows.</param>
    /// <param name="protocol">The protocol that it asks to switch to; absent: none.</param>
    /// <param name="head">Where to.</param>
    public static void Write(Exchange exchange, bool hasBody, string? protocol, HeadWriter head)
    {
        var request = exchange.Context.Request;
        var target = RequestChecks.TargetOf(exchange.Context, exchange.StrippedPrefix);
        head.Write(protocol is null ? request.Method : "GET");
        head.Write(target.StartsWith("/") ? " "u8 : " /"u8);
        head.Write(target);
        head.Write(" HTTP/1.1\r\n"u8);
        WriteFields(exchange, head);
        if (request.Headers.Host.Count == 0)
        {
            // A request of HTTP/1.0 may name no host. Source: RFC 9112, section 3.2.
            head.Write("Host: \r\n"u8);
        }

        WriteFraming(request, hasBody, head);
        if (protocol is not null)
        {
            head.Write("Connection: Upgrade\r\n"u8);
            head.WriteField("Upgrade", protocol);
        }

        head.Write("\r\n"u8);
    }

    /// <summary>Writes the fields of the client that are passed on, and what is said about the client.</summary>
    public static void WriteFields(Exchange exchange, IFieldSink head)
    {
        var headers = exchange.Context.Request.Headers;
        foreach (var (name, values) in headers)
        {
            if (!HopHeaders.Contains(name) && !ForwardedHeaders.IsMisleading(name, exchange.Peer.IsTrusted) && !ForwardedHeaders.IsReplaced(name, exchange))
            {
                WriteField(head, name, values);
            }
        }

        if (AcceptsTrailers(headers))
        {
            head.WriteField("TE", "trailers");
        }

        ForwardedHeaders.Write(exchange, head);
        if (exchange.PeerMark is { } mark)
        {
            head.WriteField(PeerMark.Header, mark);
        }
    }

    private static bool AcceptsTrailers(IHeaderDictionary headers) =>
        headers.TE is { Count: > 0 } te && te.ToString().Contains("trailers", StringComparison.OrdinalIgnoreCase);

    private static void WriteFraming(HttpRequest request, bool hasBody, HeadWriter head)
    {
        if (hasBody && request.ContentLength is null)
        {
            head.Write("Transfer-Encoding: chunked\r\n"u8);
        }
        else if (!hasBody && request.ContentLength is null && request.Method is "POST" or "PUT" or "PATCH")
        {
            head.Write("Content-Length: 0\r\n"u8);
        }
    }

    private static void WriteField(IFieldSink head, string name, StringValues values)
    {
        foreach (var value in values)
        {
            head.WriteField(name, value);
        }
    }
}
