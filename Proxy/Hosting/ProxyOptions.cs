using System.Net;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>What the Proxy is told at its start.</summary>
internal sealed record ProxyOptions
{
    /// <summary>Where requests are taken.</summary>
    public required IReadOnlyList<ListenAddress> Listen { get; init; }

    /// <summary>Where requests are taken over TLS.</summary>
    public IReadOnlyList<ListenAddress> ListenTls { get; init; } = [];

    /// <summary>Folder of the certificates and keys for TLS; looked at only where TLS is spoken.</summary>
    public string Certificates { get; init; } = "";

    /// <summary>File of the authorities that issue clients' certificates; absent: clients aren't asked for any.</summary>
    public string? ClientAuthorities { get; init; }

    /// <summary>Path of the control socket.</summary>
    public required string ControlSocket { get; init; }

    /// <summary>Folder of the state files.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Networks of the proxies in front, whose X-Forwarded headers are believed.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Whether a line is written for each request.</summary>
    public bool AccessLog { get; init; }

    /// <summary>Bytes a second that a client has to send of a body, or take of an answer, on average while there is something to send or take; a connection that is slower for 5 s is ended.</summary>
    public int MinBodyRate { get; init; } = 1024;

    /// <summary>From the order to stop until requests that still run are cut.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
