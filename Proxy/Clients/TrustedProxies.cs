using System.Net;

namespace Wunderproxy.Proxy.Clients;

/// <summary>The proxies in front whose word about the client is taken.</summary>
/// <param name="networks">Their networks.</param>
internal sealed class TrustedProxies(IReadOnlyList<IPNetwork> networks)
{
    /// <summary>Whether an address is one of theirs; an IPv4 address is the same one where IPv6 carries it.</summary>
    public bool Contains(IPAddress address)
    {
        var plain = Plain(address);
        foreach (var network in networks)
        {
            if (network.Contains(plain))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An address as it is written for people: <c>192.0.2.1</c> rather than <c>::ffff:192.0.2.1</c>.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
