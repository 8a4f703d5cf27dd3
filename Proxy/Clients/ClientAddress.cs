using System.Net;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Clients;

/// <summary>Who a request comes from: the peer itself, or, where that is a trusted proxy, the last one before it that isn't.</summary>
internal static class ClientAddress
{
    /// <summary>Finds the address. Whoever isn't trusted could have written all that stands left of its own address.</summary>
    /// <returns>Empty where the peer uses a Unix socket and names nobody.</returns>
    public static ReadOnlySpan<char> Of(Exchange exchange)
    {
        var (peer, rules) = (exchange.Peer, exchange.Rules);
        if (!peer.IsTrusted)
        {
            return peer.Address;
        }

        var headers = exchange.Context.Request.Headers;
        var chain = headers[ForwardedHeaders.For];
        return chain.Count == 0 && rules.SpeaksForwarded
            ? Of(peer.Address, ForwardedElements.NodesIn(headers[ForwardedElements.Header]).ToArray(), rules.Trusted)
            : Of(peer.Address, chain.ToArray(), rules.Trusted);
    }

    /// <summary>Goes through the addresses that a request came by, from the last one on.</summary>
    /// <param name="peer">Whoever sent it to us, which is trusted.</param>
    /// <param name="lines">Addresses, several in a line where commas separate them.</param>
    /// <param name="trusted">The proxies that are believed.</param>
    public static ReadOnlySpan<char> Of(ReadOnlySpan<char> peer, ReadOnlySpan<string?> lines, TrustedProxies trusted)
    {
        var client = peer;
        for (var line = lines.Length - 1; line >= 0; line--)
        {
            var rest = lines[line].AsSpan();
            for (var comma = 0; comma >= 0;)
            {
                comma = rest.LastIndexOf(',');
                var node = AddressIn(rest[(comma + 1)..].Trim());
                if (!IPAddress.TryParse(node, out var address))
                {
                    return client;
                }

                client = node;
                if (!trusted.Contains(address))
                {
                    return client;
                }

                rest = comma < 0 ? rest : rest[..comma];
            }
        }

        return client;
    }

    // Some write a port behind it: 192.0.2.1:4711, [2001:db8::1]:4711.
    private static ReadOnlySpan<char> AddressIn(ReadOnlySpan<char> node)
    {
        if (node.StartsWith('['))
        {
            var end = node.IndexOf(']');
            return end < 0 ? node : node[1..end];
        }

        var colon = node.IndexOf(':');
        return colon >= 0 && node.LastIndexOf(':') == colon ? node[..colon] : node;
    }
}
