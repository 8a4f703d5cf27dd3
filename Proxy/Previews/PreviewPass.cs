using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Previews;

/// <summary>Tells who may see a release that stands by: by a token, or by the host that is asked for and the network that is asked from.</summary>
internal sealed class PreviewPass(Preview preview)
{
    private readonly byte[][] _tokens = [.. preview.TokenHashes.Select(Convert.FromHexString)];
    private readonly TrustedProxies _clients = new([.. preview.Clients.Select(IPNetwork.Parse)]);

    /// <summary>Whether a request may go to the release.</summary>
    public bool Admits(Exchange exchange) => HasToken(exchange.Context.Request.Headers[Preview.Header]) || (IsForHost(exchange) && IsFromClient(exchange));

    // Only hashes are compared, all of them, and each in the same time: nothing is to be learnt from how long it takes.
    private bool HasToken(StringValues given)
    {
        if (given is not [{ Length: >= Preview.LeastToken and <= Preview.MostToken } token])
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Preview.MostToken];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.Latin1.GetBytes(token, bytes)], hash);
        var isKnown = false;
        foreach (var known in _tokens)
        {
            isKnown |= CryptographicOperations.FixedTimeEquals(known, hash);
        }

        return isKnown;
    }

    private bool IsForHost(Exchange exchange)
    {
        foreach (var host in preview.Hosts)
        {
            if (RequestChecks.PlaceOf(exchange.Context).IsWithin(host, "/"))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsFromClient(Exchange exchange) => IPAddress.TryParse(ClientAddress.Of(exchange), out var address) && _clients.Contains(address);
}
