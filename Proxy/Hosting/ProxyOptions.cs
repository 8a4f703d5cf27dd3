using System.Net;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Peers;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>What the Proxy is told at its start.</summary>
internal sealed record ProxyOptions
{
    /// <summary>What stands for the standard output in the place of a file.</summary>
    public const string StandardOutput = "-";

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

    /// <summary>Networks of the proxies in front, whose headers about the client are believed.</summary>
    public IReadOnlyList<IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>The other hosts of the same applications; absent: there are none.</summary>
    public PeerOptions? Peers { get; init; }

    /// <summary>Whether applications get the header Forwarded beside X-Forwarded-For, -Proto and -Host, and proxies in front may use it.</summary>
    public bool Forwarded { get; init; }

    /// <summary>Whether answers name their request, in X-Request-Id.</summary>
    public bool AnswerRequestId { get; init; }

    /// <summary>Connections that clients may have altogether; absent: as many as there are descriptors for. One beyond that is closed as soon as it comes.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>The same for each client: an IPv4 address, or an IPv6 network of 64 bits. Trusted proxies and Unix sockets may have any number.</summary>
    public int? MaxConnectionsPerClient { get; init; }

    /// <summary>From the first byte of a request until its head has to be there.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>File that gets a line for each request, or <see cref="StandardOutput"/>; absent: none is written.</summary>
    public string? AccessLog { get; init; }

    /// <summary>How those lines are written.</summary>
    public AccessLogFormat AccessLogFormat { get; init; }

    /// <summary>Bytes a second that a client has to send of a body, or take of an answer, on average while there is something to send or take; a connection that is slower for 5 s is ended.</summary>
    public int MinBodyRate { get; init; } = 1024;

    /// <summary>Bytes of memory in which bodies may be kept for slow clients, over all requests; absent: by the memory of the machine.</summary>
    public long? BufferMemory { get; init; }

    /// <summary>Bytes of temporary files for the same; absent: by what is free on their disk.</summary>
    public long? BufferDisk { get; init; }

    /// <summary>Folder of these files; absent: one in <see cref="StateDirectory"/>.</summary>
    public string? BufferDirectory { get; init; }

    /// <summary>From the order to stop until requests that still run are cut.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
