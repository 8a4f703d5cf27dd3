using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Peers;
using Wunderproxy.Proxy.Relaying;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>
/// Says who the client is, what it asked for, and when: <c>X-Forwarded-For</c>, <c>-Proto</c>, <c>-Host</c>, <c>-Prefix</c> where the application doesn't see the beginning of the path,
/// <c>-Client-Subject</c> where the client has shown a certificate, <c>X-Real-IP</c>, <c>X-Request-Id</c>, <c>X-Request-Start</c>.
/// </summary>
/// <remarks>
/// What a client says about itself in such headers is dropped, unless it is a trusted proxy: then its own address is appended to
/// <c>X-Forwarded-For</c> and the rest is kept. <c>Forwarded</c> says the same in another language that few applications read, so it is dropped unless an option asks for
/// it: then it is written beside the others, and trusted proxies may use it. Applications often read <c>X_Forwarded_For</c> as the same name (as CGI does), so names that turn
/// into one of these headers, or into one that frames messages, by reading underscores as hyphens are dropped; other names with underscores pass.
/// <c>X-Real-IP</c> is the one address that <see cref="ClientAddress"/> finds, whoever sent the request.
/// <c>Wunderproxy-Preview</c> has a secret of the Proxy's callers, and <c>Wunderproxy-Peer</c> is between hosts; neither goes further.
/// <c>X-Request-Start</c> is the time at which the first trusted proxy got the request, in milliseconds: <c>t=1700000000123</c>.
/// </remarks>
internal static class ForwardedHeaders
{
    /// <summary>Name of the header with the addresses that the request came by.</summary>
    public const string For = "X-Forwarded-For";

    /// <summary>Name of the header with the client's scheme.</summary>
    public const string Proto = "X-Forwarded-Proto";

    /// <summary>Name of the header with the host that the client asked for.</summary>
    public const string Host = "X-Forwarded-Host";

    private const string PathPrefix = "X-Forwarded-Prefix";
    private const string ClientSubject = "X-Forwarded-Client-Subject";
    private const string Beginning = "X-Forwarded-";
    private const string RealIp = "X-Real-IP";
    private const string Start = "X-Request-Start";

    private static readonly HashSet<string> OwnWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Length", "Transfer-Encoding", "Keep-Alive", "Proxy-Connection", RealIp, RequestId.Header, Start, Preview.Header, PeerMark.Header,
    };

    /// <summary>Whether a header says, or could be taken to say, who the client is or how long its message is, and isn't to be believed.</summary>
    public static bool IsMisleading(string name, bool isTrusted)
    {
        if (name.Contains('_', StringComparison.Ordinal))
        {
            var twin = name.Replace('_', '-');
            return twin.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase) || OwnWords.Contains(twin);
        }

        return !isTrusted && name.StartsWith(Beginning, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The scheme that the client used: as a trusted proxy says, which has the one of the client first, else as it is connected here.</summary>
    public static string SchemeOf(HttpRequest request, Peer peer) => peer.IsTrusted && request.Headers[Proto] is [{ Length: > 0 } said, ..]
        ? said.Split(',')[0].Trim().ToLowerInvariant()
        : request.Scheme;

    /// <summary>Whether a header is written instead of the client's, or left out, in every request.</summary>
    public static bool IsReplaced(string name) => name.Length switch
    {
        9 => name.Equals(RealIp, StringComparison.OrdinalIgnoreCase) || name.Equals(ForwardedElements.Header, StringComparison.OrdinalIgnoreCase),
        12 => name.Equals(RequestId.Header, StringComparison.OrdinalIgnoreCase),
        15 => name.Equals(For, StringComparison.OrdinalIgnoreCase) || name.Equals(Start, StringComparison.OrdinalIgnoreCase),
        16 => name.Equals(PeerMark.Header, StringComparison.OrdinalIgnoreCase),
        19 => name.Equals(Preview.Header, StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    /// <summary>Whether a header is written instead of the client's, or left out, in this request.</summary>
    public static bool IsReplaced(string name, Exchange exchange) =>
        IsReplaced(name)
        || (exchange.StrippedPrefix is not null && name.Equals(PathPrefix, StringComparison.OrdinalIgnoreCase))
        || (exchange.Peer.ClientSubject is not null && name.Equals(ClientSubject, StringComparison.OrdinalIgnoreCase));

    /// <summary>Writes the headers of a request whose own ones were left out where they are misleading or replaced.</summary>
    public static void Write(Exchange exchange, IFieldSink head)
    {
        WriteAddresses(exchange, head);
        WriteTarget(exchange, head);
        if (exchange.Peer.ClientSubject is { } subject)
        {
            head.WriteField(ClientSubject, subject);
        }

        head.WriteField(RequestId.Header, exchange.Id.Write(stackalloc char[RequestId.MaxLength]));
        WriteStart(exchange, head);
        if (exchange.Rules.SpeaksForwarded)
        {
            head.WriteField(ForwardedElements.Header, ForwardedElements.ValueFor(exchange));
        }
    }

    private static void WriteAddresses(Exchange exchange, IFieldSink head)
    {
        var peer = exchange.Peer;
        var former = peer.IsTrusted ? exchange.Context.Request.Headers[For] : StringValues.Empty;
        if (former.Count > 0)
        {
            head.WriteField(For, string.Join(", ", [.. former, .. peer.Address is "" ? Array.Empty<string>() : [peer.Address]]));
        }
        else if (peer.Address is not "")
        {
            head.WriteField(For, peer.Address);
        }

        if (ClientAddress.Of(exchange) is { IsEmpty: false } client)
        {
            head.WriteField(RealIp, client);
        }
    }

    private static void WriteTarget(Exchange exchange, IFieldSink head)
    {
        var (request, isTrusted) = (exchange.Context.Request, exchange.Peer.IsTrusted);
        var headers = request.Headers;
        if (exchange.StrippedPrefix is { } prefix)
        {
            head.WriteField(PathPrefix, PrefixValue(isTrusted ? headers[PathPrefix] : StringValues.Empty, prefix));
        }

        if (!isTrusted || !headers.ContainsKey(Proto))
        {
            head.WriteField(Proto, request.Scheme);
        }

        if ((!isTrusted || !headers.ContainsKey(Host)) && headers.Host is [{ } host])
        {
            head.WriteField(Host, host);
        }
    }

    // A proxy in front may have taken something away as well.
    private static string PrefixValue(StringValues former, string prefix) => former.Count == 0 ? prefix : former.ToString().TrimEnd('/') + prefix;

    private static void WriteStart(Exchange exchange, IFieldSink head)
    {
        if (exchange.Peer.IsTrusted && exchange.Context.Request.Headers[Start] is [{ Length: > 0 } said])
        {
            head.WriteField(Start, said);
            return;
        }

        Span<char> start = stackalloc char[32];
        _ = start.TryWrite(CultureInfo.InvariantCulture, $"t={exchange.ArrivedAt.ToUnixTimeMilliseconds()}", out var length);
        head.WriteField(Start, start[..length]);
    }
}
