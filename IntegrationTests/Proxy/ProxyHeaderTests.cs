using System.Net;
using System.Text;
using Wunderproxy.Proxy.Clients;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The header of the PROXY protocol, byte for byte.</summary>
public class ProxyHeaderTests
{
    public const string Signature = "\r\n\r\n\0\r\nQUIT\n";

    // 192.0.2.1 port 56324 to 198.51.100.1 port 443.
    public const string Ipv4 = Signature + "\x21\x11\0\xC" + "\xC0\0\x2\x1" + "\xC6\x33\x64\x1" + "\xDC\x4\x1\xBB";

    // 2001:db8::1 port 1 to 2001:db8::2 port 2.
    private const string Ipv6 = Signature + "\x21\x21\0\x24" + "\x20\x1\xD\xB8\0\0\0\0\0\0\0\0\0\0\0\x1" + "\x20\x1\xD\xB8\0\0\0\0\0\0\0\0\0\0\0\x2" + "\0\x1\0\x2";

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1:56324")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:db8::2 1 0\r\n", "[2001:db8::1]:1")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "[::ffff:192.0.2.1]:1")]
    [InlineData("PROXY UNKNOWN\r\n", null)]
    [InlineData("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", null)]
    [InlineData("PROXY UNKNOWN whatever it is\r\n", null)]
    [InlineData(Ipv4, "192.0.2.1:56324")]
    [InlineData(Ipv6, "[2001:db8::1]:1")]
    [InlineData(Signature + "\x21\x11\0\x10\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1\xBB\x4\0\x1\0", "192.0.2.1:56324")]
    [InlineData(Signature + "\x20\x11\0\xC\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1\xBB", null)]
    [InlineData(Signature + "\x20\0\0\0", null)]
    [InlineData(Signature + "\x21\0\0\0", null)]
    [InlineData(Signature + "\x21\0\0\x4garb", null)]
    [InlineData(Signature + "\x21\x12\0\xC\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1\xBB", null)]
    [InlineData(Signature + "\x21\x31\0\x1x", null)]
    public void Header_is_read_up_to_its_end_and_not_before_it_is_there(string header, string? source)
    {
        var bytes = Encoding.Latin1.GetBytes(header + "GET /");

        for (var length = 0; length < header.Length; length++)
        {
            Assert.Null(ProxyHeader.Read(bytes.AsSpan(0, length)));
        }

        var read = ProxyHeader.Read(bytes);
        Assert.Equal(header.Length, read?.Length);
        Assert.Equal(source is null ? null : IPEndPoint.Parse(source), read!.Source);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n")]
    [InlineData("PROXY\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324  443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.1 +1 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.1 1 443\r\n")]
    [InlineData("PROXY TCP4 192.0.513 198.51.100.1 1 443\r\n")]
    [InlineData("PROXY TCP4 0300.0.2.1 198.51.100.1 1 443\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 localhost 1 443\r\n")]
    [InlineData("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n")]
    [InlineData("proxy TCP4 192.0.2.1 198.51.100.1 1 2\r\n")]
    [InlineData("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n")]
    [InlineData(Signature + "\x11\x11\0\xC\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1\xBB")]
    [InlineData(Signature + "\x22\x11\0\xC\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1\xBB")]
    [InlineData(Signature + "\x21\x11\0\xB\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1")]
    [InlineData(Signature + "\x21\x21\0\xC\xC0\0\x2\x1\xC6\x33\x64\x1\xDC\x4\x1\xBB")]
    [InlineData(Signature + "\x21\x11\xFF\xFF")]
    [InlineData("\r\n\r\n\0\r\nQUIT\r")]
    public void Anything_else_is_refused(string bytes) => Assert.Throws<InvalidDataException>(() => ProxyHeader.Read(Encoding.Latin1.GetBytes(bytes)));

    [Fact]
    public void Additions_are_skipped_up_to_4_KiB()
    {
        var most = ProxyHeader.MaxLength - 16;

        Assert.Equal(ProxyHeader.MaxLength, ProxyHeader.Read(Encoding.Latin1.GetBytes(WithAdditions(most)))!.Length);
        Assert.Throws<InvalidDataException>(() => ProxyHeader.Read(Encoding.Latin1.GetBytes(WithAdditions(most + 1))));
    }

    private static string WithAdditions(int length) => $"{Signature}\x21\x11{(char)(length >> 8)}{(char)(length & 0xFF)}{Ipv4[16..]}{new string('x', length - 12)}";
}
