using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Peers;

/// <summary>Says that a request comes from another host that couldn't answer it, so that it is forwarded once only.</summary>
/// <remarks>
/// It is an HMAC-SHA256 of what is asked for, so strangers can't make one, and one that was seen is good for the same request only. It holds for ever: were it to end by a clock, hosts whose
/// clocks differ could send a request in a circle.
/// </remarks>
/// <param name="key">The secret of the hosts.</param>
internal sealed class PeerMark(byte[] key)
{
    /// <summary>Name of the header. It never reaches an application, whoever sent it.</summary>
    public const string Header = "Wunderproxy-Peer";

    /// <summary>The mark for a request.</summary>
    public string Of(Exchange exchange) => Base64Url.EncodeToString(Sign(exchange));

    /// <summary>Whether a request has the mark.</summary>
    public bool IsOn(Exchange exchange) => exchange.Context.Request.Headers[Header] is [{ } given]
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(Of(exchange)));

    private byte[] Sign(Exchange exchange)
    {
        var request = exchange.Context.Request;
        return HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{request.Method}\n{request.Headers.Host}\n{RequestChecks.OriginFormOf(RequestChecks.RawTargetOf(exchange.Context))}"));
    }
}
