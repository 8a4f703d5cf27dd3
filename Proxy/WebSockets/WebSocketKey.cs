using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>How both sides of a handshake of HTTP/1.1 show that they mean WebSockets. In HTTP/2 there is nothing of the kind, so the Proxy does that for the other side.</summary>
/// <remarks>Source: RFC 6455, section 4; RFC 8441, section 5.</remarks>
internal static class WebSocketKey
{
    private const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Makes what a client sends.</summary>
    public static string New() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));

    /// <summary>What a server answers to a key.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 6455 asks for it; it protects nothing.")]
    public static string AnswerTo(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.Latin1.GetBytes(key + Suffix)));
}
