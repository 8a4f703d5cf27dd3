using System.Net;

namespace Wunderproxy.Proxy.Peers;

/// <summary>What the Proxy is told about other hosts of the same applications.</summary>
internal sealed record PeerOptions
{
    /// <summary>Fewest characters of the key.</summary>
    public const int LeastKey = 32;

    /// <summary>Their Proxies, other than this one.</summary>
    public IReadOnlyList<IPEndPoint> Addresses { get; init; } = [];

    /// <summary>The same as networks of one address each.</summary>
    public IEnumerable<IPNetwork> Networks => Addresses.Select(peer => new IPNetwork(peer.Address, peer.Address.GetAddressBytes().Length * 8));

    /// <summary>File of the secret that all of them share.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>Percent of this host's requests that may go there, 1 to 100: so that a host that is down can't overload the others.</summary>
    public int Share { get; init; } = 50;

    /// <summary>Requests that may be there at once.</summary>
    public int MaxInFlight { get; init; } = 100;

    /// <summary>How long another host has for the head of an answer, 1 s at least.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);
}
