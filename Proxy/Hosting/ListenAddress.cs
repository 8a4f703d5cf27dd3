using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>Where the Proxy takes requests: <c>host:port</c>, <c>:port</c> (every address), or <c>unix:/path</c>; each may follow <c>proxy-protocol:</c>.</summary>
internal abstract record ListenAddress
{
    private const string UnixPrefix = "unix:";
    private const string ProxyPrefix = "proxy-protocol:";

    private ListenAddress()
    {
    }

    /// <summary>Whether connections begin with a header of the PROXY protocol.</summary>
    public bool HasProxyHeader { get; private init; }

    /// <summary>Reads an address.</summary>
    /// <returns><see langword="null"/> if the text is none. Host names other than <c>localhost</c> are none.</returns>
    public static ListenAddress? TryParse(string text)
    {
        if (text.StartsWith(ProxyPrefix, StringComparison.Ordinal))
        {
            return TryParse(text[ProxyPrefix.Length..]) is { HasProxyHeader: false } address ? address with { HasProxyHeader = true } : null;
        }

        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            var path = text[UnixPrefix.Length..];
            return Path.IsPathFullyQualified(path) ? new Unix(path) : null;
        }

        var colon = text.LastIndexOf(':');
        return colon >= 0 && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? Of(text[..colon], port)
            : null;
    }

    /// <summary>Makes a server listen there.</summary>
    /// <returns>What it listens on; once it listens, this knows the port that was chosen for port 0.</returns>
    public abstract ListenOptions AddTo(KestrelServerOptions server);

    private static Tcp? Of(string host, int port) => host switch
    {
        "" or "*" => new Tcp(new IPEndPoint(IPAddress.IPv6Any, port)),
        "localhost" => new Tcp(new IPEndPoint(IPAddress.Loopback, port)),
        _ when host.Contains(':', StringComparison.Ordinal) && !host.StartsWith('[') => null,
        _ => IPAddress.TryParse(host, out var address) ? new Tcp(new IPEndPoint(address, port)) : null,
    };

    private static ListenOptions Take(Action<Action<ListenOptions>> listen)
    {
        ListenOptions? taken = null;
        listen(options => taken = options);
        return taken!;
    }

    /// <summary>An IP address and port.</summary>
    public sealed record Tcp(IPEndPoint EndPoint) : ListenAddress
    {
        /// <inheritdoc/>
        public override ListenOptions AddTo(KestrelServerOptions server) => EndPoint.Address.Equals(IPAddress.IPv6Any)
            ? Take(options => server.ListenAnyIP(EndPoint.Port, options))
            : Take(options => server.Listen(EndPoint, options));

        /// <inheritdoc/>
        public override string ToString() => EndPoint.Address.Equals(IPAddress.IPv6Any) ? $":{EndPoint.Port}" : EndPoint.ToString();
    }

    /// <summary>A Unix socket, for a proxy on the same host.</summary>
    public sealed record Unix(string SocketPath) : ListenAddress
    {
        /// <inheritdoc/>
        public override ListenOptions AddTo(KestrelServerOptions server) => Take(options => server.ListenUnixSocket(SocketPath, options));

        /// <inheritdoc/>
        public override string ToString() => UnixPrefix + SocketPath;
    }
}
