using System.Net;
using Wunderproxy.Controller.Acme;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Exporting;
using Wunderproxy.Controller.Hooks;

namespace Wunderproxy.Controller.Cli;

/// <summary>Everything that <c>run</c> was told, checked. Paths are absolute.</summary>
internal sealed record RunSettings
{
    /// <summary>Where desired state comes from.</summary>
    public required StoreSettings Store { get; init; }

    /// <summary>Name of the application; part of container names, image names and paths.</summary>
    public required string Application { get; init; }

    /// <summary>Public address of a Proxy that is started here.</summary>
    public required ListenAddress Proxy { get; init; }

    /// <summary>Address on which that Proxy speaks TLS; absent: none.</summary>
    public ListenAddress? ProxyTls { get; init; }

    /// <summary>Folder of that Proxy's certificates.</summary>
    public string ProxyCertificates { get; init; } = "";

    /// <summary>File of those who issue the certificates of its clients; absent: it asks for none.</summary>
    public string? ProxyClientCa { get; init; }

    /// <summary>Whether connections to it begin with a header of the PROXY protocol.</summary>
    public required bool ProxyProtocol { get; init; }

    /// <summary>Further options of a Proxy that is started here, as arguments.</summary>
    public required IReadOnlyList<string> ProxyOptions { get; init; }

    /// <summary>How certificates are obtained; absent: none are.</summary>
    public AcmeOptions? Acme { get; init; }

    /// <summary>Address of the admin API.</summary>
    public required ListenAddress Api { get; init; }

    /// <summary>What callers of it show who change something; absent: only those on this host may.</summary>
    public ApiToken? ApiToken { get; init; }

    /// <summary>Who is told of ends and switches; absent: nobody.</summary>
    public HookSettings? Hooks { get; init; }

    /// <summary>Port of the registry on localhost.</summary>
    public required int RegistryPort { get; init; }

    /// <summary>The host's own environment for its containers. Its values are secret: never logged, never answered.</summary>
    public required IReadOnlyDictionary<string, string> ContainerEnvironment { get; init; }

    /// <summary>Where the Controller keeps its state.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Address of the Docker Engine, such as <c>unix:///var/run/docker.sock</c>.</summary>
    public required string Docker { get; init; }

    /// <summary>Path of the Proxy's control socket.</summary>
    public required string ProxyControl { get; init; }

    /// <summary>Pause between two looks at <c>current.json</c> in S3.</summary>
    public required TimeSpan Poll { get; init; }

    /// <summary>Name of the containers' network.</summary>
    public required string Network { get; init; }

    /// <summary>Subnet of the network.</summary>
    public required IPNetwork NetworkSubnet { get; init; }

    /// <summary>Part of the subnet from which Docker itself takes addresses.</summary>
    public required IPNetwork NetworkDynamicRange { get; init; }

    /// <summary>How containers are reached.</summary>
    public required Addressing Addressing { get; init; }

    /// <summary>Options of containers that are allowed though forbidden by default.</summary>
    public required Permissions Allow { get; init; }

    /// <summary>A deployment that got nowhere for so long has failed.</summary>
    public required TimeSpan ProgressDeadline { get; init; }

    /// <summary>Where traces and metrics are sent; absent: nowhere.</summary>
    public OtlpOptions? Otlp { get; init; }

    /// <summary>Format of the log.</summary>
    public required LogFormat LogFormat { get; init; }
}

/// <summary>How containers are reached.</summary>
internal enum Addressing
{
    /// <summary>At a fixed address of their own in the bridge network.</summary>
    Bridge,

    /// <summary>At a published port on 127.0.0.1.</summary>
    Published,
}

/// <summary>Format of the log.</summary>
internal enum LogFormat
{
    /// <summary>A line for people.</summary>
    Text,

    /// <summary>A JSON object a line.</summary>
    Json,
}
