using System.Security.Cryptography;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>Close frames with the code 1001, "going away": what is said to both sides of a WebSocket whose release was replaced.</summary>
/// <remarks>Source: RFC 6455, sections 5.3, 5.5.1 and 7.4.1.</remarks>
internal static class CloseFrame
{
    private const byte FinalClose = 0x88;
    private const byte Masked = 0x80;
    private const byte High = 1001 >> 8;
    private const byte Low = 1001 & 0xFF;

    /// <summary>What a client gets.</summary>
    public static ReadOnlyMemory<byte> ForClient { get; } = (byte[])[FinalClose, 2, High, Low];

    /// <summary>Makes what an application gets, masked as if it came from the client.</summary>
    public static ReadOnlyMemory<byte> ForApplication()
    {
        var mask = RandomNumberGenerator.GetBytes(4);
        return (byte[])[FinalClose, Masked | 2, .. mask, (byte)(High ^ mask[0]), (byte)(Low ^ mask[1])];
    }
}
