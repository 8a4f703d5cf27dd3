using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Clients;

/// <summary>The header <c>Forwarded</c>: who a request came by, an element for each hop.</summary>
/// <remarks>Source: RFC 7239. <c>for=192.0.2.60;host=shop.example;proto=http, for="[2001:db8::1]"</c>.</remarks>
internal static class ForwardedElements
{
    /// <summary>Name of the header.</summary>
    public const string Header = "Forwarded";

    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>The header's value as the application gets it: what a trusted proxy says, and our own element behind it.</summary>
    /// <remarks>Of a proxy that doesn't speak it, what it says in <c>X-Forwarded-*</c> is translated (section 7.4).</remarks>
    public static string ValueFor(Exchange exchange)
    {
        var request = exchange.Context.Request;
        var own = Element(exchange.Peer.Address is "" ? "unknown" : exchange.Peer.Address, request.Host.Value, request.Scheme);
        var former = !exchange.Peer.IsTrusted ? "" : request.Headers[Header] is { Count: > 0 } said ? string.Join(", ", said.ToArray()) : Translated(request.Headers);
        return former is "" ? own : $"{former}, {own}";
    }

    /// <summary>The nodes that requests came from, in their order.</summary>
    public static List<string> NodesIn(StringValues header)
    {
        var nodes = new List<string>();
        foreach (var pair in header.SelectMany(line => Split(line ?? "", ',')).SelectMany(element => Split(element, ';')))
        {
            if (pair.StartsWith("for=", StringComparison.OrdinalIgnoreCase))
            {
                nodes.Add(Unquoted(pair["for=".Length..]));
            }
        }

        return nodes;
    }

    private static string Translated(IHeaderDictionary headers)
    {
        var chain = headers[ForwardedHeaders.For].SelectMany(line => Split(line ?? "", ',')).ToList();
        return string.Join(", ", chain.Select((node, i) => i == 0 ? Element(node, headers[ForwardedHeaders.Host], headers[ForwardedHeaders.Proto]) : Element(node, null, null)));
    }

    private static string Element(string node, string? host, string? proto)
    {
        var element = "for=" + Node(node);
        element += string.IsNullOrEmpty(host) ? "" : ";host=" + Quoted(host);
        return element + (string.IsNullOrEmpty(proto) ? "" : ";proto=" + Quoted(proto));
    }

    // Section 6: IPv6 stands in brackets.
    private static string Node(string node) =>
        Quoted(!node.StartsWith('[') && IPAddress.TryParse(node, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{node}]" : node);

    private static string Quoted(string text) =>
        text.AsSpan().ContainsAnyExcept(TokenChars) ? $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"" : text;

    private static string Unquoted(string text)
    {
        if (text.Length < 2 || text[0] != '"' || text[^1] != '"')
        {
            return text;
        }

        var plain = new StringBuilder();
        for (var i = 1; i < text.Length - 1; i++)
        {
            i += text[i] == '\\' && i < text.Length - 2 ? 1 : 0;
            plain.Append(text[i]);
        }

        return plain.ToString();
    }

    // At what stands outside of quotes.
    private static IEnumerable<string> Split(string text, char separator)
    {
        var (begin, isQuoted) = (0, false);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == separator && !isQuoted))
            {
                if (text[begin..i].Trim() is { Length: > 0 } part)
                {
                    yield return part;
                }

                begin = i + 1;
            }
            else if (text[i] == '\\' && isQuoted)
            {
                i = Math.Min(i + 1, text.Length - 1);
            }
            else
            {
                isQuoted ^= text[i] == '"';
            }
        }
    }
}
