using System.Globalization;

namespace Wunderproxy.Contracts.Launching;

/// <summary>A port as the engine writes it: <c>9292/tcp</c>, <c>53/udp</c>, or <c>9292</c>, which is TCP.</summary>
internal static class ExposedPort
{
    private static readonly string[] Protocols = ["tcp", "udp", "sctp"];

    /// <summary>Whether the text is one port, 1 to 65535, with or without its protocol.</summary>
    public static bool IsValid(string text) => TryParse(text, out _, out _);

    /// <summary>The port's number if it is a TCP port.</summary>
    public static int? TcpPortOf(string text) => TryParse(text, out var number, out var protocol) && protocol == "tcp" ? number : null;

    private static bool TryParse(string text, out int number, out string protocol)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        protocol = slash < 0 ? "tcp" : text[(slash + 1)..];
        return int.TryParse(slash < 0 ? text : text[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number is > 0 and <= 65535
            && Protocols.Contains(protocol, StringComparer.Ordinal);
    }
}
