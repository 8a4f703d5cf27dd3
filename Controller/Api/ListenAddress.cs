using System.Globalization;
using System.Net;

namespace Wunderproxy.Controller.Api;

/// <summary>Where a server listens: an IP address and port, or a Unix socket.</summary>
internal abstract record ListenAddress
{
    public const string UnixPrefix = "unix:";

    // sun_path of unix(7) has 108 bytes, the final zero included.
    private const int LongestSocketPath = 107;

    private ListenAddress()
    {
    }

    /// <summary>Reads <c>0.0.0.0:80</c>, <c>[::]:80</c>, <c>localhost:80</c>, <c>:80</c> (every address) or <c>unix:/run/api.sock</c>.</summary>
    /// <param name="text">The address as somebody wrote it.</param>
    /// <param name="address">The address; absent where the text is none.</param>
    /// <param name="problem">What is wrong and what to write instead; absent where the text is fine.</param>
    public static bool TryParse(string text, out ListenAddress? address, out string? problem)
    {
        address = null;
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            var path = text[UnixPrefix.Length..];
            problem = ProblemOfSocketPath(path);
            address = problem is null ? new Unix(path) : null;
            return problem is null;
        }

        problem = ProblemOfTcp(text, out var tcp);
        address = tcp;
        return problem is null;
    }

    /// <summary>Why a path can't be that of a Unix socket; <see langword="null"/> if it can.</summary>
    public static string? ProblemOfSocketPath(string path)
    {
        if (!Path.IsPathRooted(path))
        {
            return "is no absolute path. Write one such as /run/wunderproxy/proxy.sock.";
        }

        var bytes = System.Text.Encoding.UTF8.GetByteCount(path);
        return bytes > LongestSocketPath
            ? $"has {bytes} bytes, but the path of a Unix socket has at most {LongestSocketPath}. Take a shorter one."
            : null;
    }

    private static string? ProblemOfTcp(string text, out Tcp? address)
    {
        address = null;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return "has no port from 0 to 65535. Write HOST:PORT, such as 0.0.0.0:80.";
        }

        if (AddressOf(text[..colon]) is not { } ip)
        {
            return "doesn't begin with an IP address. Write one such as 0.0.0.0:80, 127.0.0.1:80 or [::]:80.";
        }

        address = new Tcp(new IPEndPoint(ip, port));
        return null;
    }

    private static IPAddress? AddressOf(string host) => host switch
    {
        "" or "*" => IPAddress.Any,
        "localhost" => IPAddress.Loopback,
        ['[', .. var v6, ']'] => IPAddress.TryParse(v6, out var ip) ? ip : null,
        _ => host.Contains(':', StringComparison.Ordinal) || !IPAddress.TryParse(host, out var ip) ? null : ip,
    };

    /// <summary>An IP address and port; port 0 takes any free one.</summary>
    public sealed record Tcp(IPEndPoint EndPoint) : ListenAddress
    {
        public override string ToString() => EndPoint.ToString();
    }

    /// <summary>A Unix socket at an absolute path.</summary>
    public sealed record Unix(string SocketPath) : ListenAddress
    {
        public override string ToString() => UnixPrefix + SocketPath;
    }
}
