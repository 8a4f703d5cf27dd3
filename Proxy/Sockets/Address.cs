using System.Buffers.Binary;
using System.Net;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>IP addresses as the kernel writes them: <c>struct sockaddr_in</c> and <c>sockaddr_in6</c>.</summary>
internal static class Address
{
    /// <summary>Bytes of the longer one of both.</summary>
    public const int MaxLength = 28;

    private const int Internet = 2;
    private const int Internet6 = 10;
    private const int PortOffset = 2;
    private const int Offset = 4;
    private const int Offset6 = 8;
    private const int ScopeOffset = 24;
    private const int Length = 16;

    /// <summary>The kernel's number of an address's family.</summary>
    public static int FamilyOf(IPEndPoint address) => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Internet : Internet6;

    /// <returns>Absent: it is no IP address.</returns>
    public static IPEndPoint? Read(ReadOnlySpan<byte> bytes)
    {
        var family = bytes.Length < Length ? 0 : BitConverter.ToUInt16(bytes);
        return family switch
        {
            Internet => new IPEndPoint(new IPAddress(bytes.Slice(Offset, 4)), BinaryPrimitives.ReadUInt16BigEndian(bytes[PortOffset..])),
            Internet6 => new IPEndPoint(
                new IPAddress(bytes.Slice(Offset6, 16), BitConverter.ToUInt32(bytes[ScopeOffset..])), BinaryPrimitives.ReadUInt16BigEndian(bytes[PortOffset..])),
            _ => null,
        };
    }

    /// <returns>Bytes written.</returns>
    public static int Write(IPEndPoint address, Span<byte> bytes)
    {
        bytes.Clear();
        var family = FamilyOf(address);
        _ = BitConverter.TryWriteBytes(bytes, (ushort)family);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[PortOffset..], (ushort)address.Port);
        if (family == Internet)
        {
            _ = address.Address.TryWriteBytes(bytes[Offset..], out _);
            return Length;
        }

        _ = address.Address.TryWriteBytes(bytes[Offset6..], out _);
        _ = BitConverter.TryWriteBytes(bytes[ScopeOffset..], (uint)address.Address.ScopeId);
        return MaxLength;
    }
}
