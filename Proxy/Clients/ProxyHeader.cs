using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.Proxy.Clients;

/// <summary>What a load balancer says at the beginning of a connection about where the connection comes from.</summary>
/// <remarks>
/// <c>PROXY TCP4 192.0.2.1 198.51.100.1 56324 443</c> and a line end in version 1; a signature, a length and addresses in binary in version 2.
/// Source: "The PROXY protocol, versions 1 &amp; 2", haproxy.org.
/// </remarks>
/// <param name="Source">Where the connection comes from; absent: it isn't said, or the load balancer speaks for itself.</param>
/// <param name="Length">Bytes of the header.</param>
internal sealed record ProxyHeader(IPEndPoint? Source, int Length)
{
    /// <summary>The longest header that is taken: 4 KiB, of which addresses are 36 bytes at most and the rest are additions that nobody here reads.</summary>
    public const int MaxLength = 4 << 10;

    // Section 2.1: with its line end, however long the addresses are.
    private const int MaxLine = 107;
    private const int FixedPart = 16;
    private const int Version2 = 0x20;
    private const int Local = 0;
    private const int Proxied = 1;
    private const int TcpOverIpv4 = 0x11;
    private const int TcpOverIpv6 = 0x21;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    private static ReadOnlySpan<byte> Word => "PROXY "u8;

    /// <summary>Reads the header.</summary>
    /// <param name="bytes">The connection's first bytes, up to <see cref="MaxLength"/> of them at least where there are so many.</param>
    /// <returns>Absent: it isn't there as a whole yet.</returns>
    /// <exception cref="InvalidDataException">There is none, or it is malformed or too long.</exception>
    public static ProxyHeader? Read(ReadOnlySpan<byte> bytes) => Begins(bytes, Signature) ? ReadVersion2(bytes)
        : Begins(bytes, Word) ? ReadLine(bytes)
        : throw new InvalidDataException("The connection doesn't begin with a header of the PROXY protocol.");

    private static bool Begins(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> beginning) => beginning.StartsWith(bytes[..Math.Min(bytes.Length, beginning.Length)]);

    private static ProxyHeader? ReadLine(ReadOnlySpan<byte> bytes)
    {
        var line = bytes[..Math.Min(bytes.Length, MaxLine)];
        var end = line.IndexOf((byte)'\n');
        if (end < 0)
        {
            return line.Length == MaxLine ? throw Malformed() : null;
        }

        return line[end - 1] == '\r' ? new ProxyHeader(SourceIn(Encoding.Latin1.GetString(line[..(end - 1)]).Split(' ')), end + 1) : throw Malformed();
    }

    // What follows UNKNOWN is to be ignored.
    private static IPEndPoint? SourceIn(string[] words) => words switch
    {
        [_, "UNKNOWN", ..] => null,
        [_, "TCP4" or "TCP6", var source, var destination, var port, var destinationPort]
            when AddressOf(words[1], source) is { } address && AddressOf(words[1], destination) is not null && PortOf(port) is { } number && PortOf(destinationPort) is not null
                => new IPEndPoint(address, number),
        _ => throw Malformed(),
    };

    // .NET takes 10.1 and 0x0A000001 for addresses as well.
    private static IPAddress? AddressOf(string family, string text) => IPAddress.TryParse(text, out var address)
        && (family == "TCP4" ? address.AddressFamily == AddressFamily.InterNetwork && address.ToString() == text : address.AddressFamily == AddressFamily.InterNetworkV6 && !text.AsSpan().ContainsAny("[]%"))
            ? address
            : null;

    private static int? PortOf(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && (text.Length == 1 || text[0] != '0') ? port : null;

    private static ProxyHeader? ReadVersion2(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedPart)
        {
            return null;
        }

        var (command, family) = (bytes[Signature.Length], bytes[Signature.Length + 1]);
        var length = FixedPart + BinaryPrimitives.ReadUInt16BigEndian(bytes[(Signature.Length + 2)..]);
        if ((command & 0xF0) != Version2 || (command & 0x0F) is not (Local or Proxied) || length > MaxLength)
        {
            throw Malformed();
        }

        return bytes.Length < length ? null : new ProxyHeader((command & 0x0F) == Local ? null : SourceIn(family, bytes[FixedPart..length]), length);
    }

    // Both addresses, then both ports. Of another family, such as a Unix socket's, there is nothing that we could tell an application.
    private static IPEndPoint? SourceIn(int family, ReadOnlySpan<byte> addresses) => family switch
    {
        TcpOverIpv4 => SourceIn(addresses, 4),
        TcpOverIpv6 => SourceIn(addresses, 16),
        _ => null,
    };

    private static IPEndPoint SourceIn(ReadOnlySpan<byte> addresses, int size) => addresses.Length < (2 * size) + 4
        ? throw Malformed()
        : new IPEndPoint(new IPAddress(addresses[..size]), BinaryPrimitives.ReadUInt16BigEndian(addresses[(2 * size)..]));

    private static InvalidDataException Malformed() => new("The header of the PROXY protocol is malformed.");
}
