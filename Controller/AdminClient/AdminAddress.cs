using System.Globalization;
using System.Net;
using Wunderproxy.Controller.Api;

namespace Wunderproxy.Controller.AdminClient;

/// <summary>Where a Controller's admin API is.</summary>
/// <param name="Name">As it was written, for people.</param>
/// <param name="Base">Its URL; of a Unix socket, one that only fills the Host header.</param>
/// <param name="SocketPath">Path of its Unix socket; absent: it is reached over TCP.</param>
internal sealed record AdminAddress(string Name, Uri Base, string? SocketPath = null)
{
    /// <summary>Where <c>run</c> listens if it isn't told otherwise.</summary>
    public const string Default = "127.0.0.1:8001";

    private const int DefaultPort = 8001;

    /// <summary>Whether it is on this host.</summary>
    public bool IsHere => SocketPath is not null || Base.IsLoopback;

    /// <summary>
    /// Reads <c>web1</c>, <c>web1:8001</c>, <c>:8001</c>, <c>[::1]:8001</c>, <c>http://web1:8001</c> or <c>unix:/run/api.sock</c>. An address to listen on, as <c>run --api</c>
    /// takes it, stands for this host.
    /// </summary>
    /// <param name="text">The address as somebody wrote it.</param>
    /// <param name="address">The address; absent where the text is none.</param>
    /// <param name="problem">What is wrong and what to write instead; absent where the text is fine.</param>
    public static bool TryParse(string text, out AdminAddress? address, out string? problem)
    {
        if (text.StartsWith(ListenAddress.UnixPrefix, StringComparison.Ordinal))
        {
            var path = text[ListenAddress.UnixPrefix.Length..];
            problem = ListenAddress.ProblemOfSocketPath(path);
            address = problem is null ? new AdminAddress(text, new Uri("http://localhost/"), path) : null;
            return problem is null;
        }

        address = UrlOf(text) is { } url ? new AdminAddress(text, url) : null;
        problem = address is null ? "is no address of an admin API. Write HOST, HOST:PORT, http://HOST:PORT or unix:/path/of/its/socket." : null;
        return problem is null;
    }

    public override string ToString() => Name;

    private static Uri? UrlOf(string text)
    {
        var written = text.Contains("://", StringComparison.Ordinal) ? text : WithPort(text);
        return Uri.TryCreate(written, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", UserInfo: "", AbsolutePath: "/", Query: "", Fragment: "", Host.Length: > 0 }
            ? url
            : null;
    }

    private static string WithPort(string text)
    {
        var colon = text.LastIndexOf(':');
        var hasPort = colon > text.LastIndexOf(']') && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        var host = hasPort ? text[..colon] : text;
        return string.Create(CultureInfo.InvariantCulture, $"http://{Reachable(host)}:{(hasPort ? text[(colon + 1)..] : DefaultPort.ToString(CultureInfo.InvariantCulture))}");
    }

    // Nobody can be reached at the address that means all of one's own.
    private static string Reachable(string host) => host switch
    {
        "" or "*" => "127.0.0.1",
        _ when IPAddress.TryParse(host.Trim('[', ']'), out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)) => ip.Equals(IPAddress.Any) ? "127.0.0.1" : "[::1]",
        _ => host,
    };
}
