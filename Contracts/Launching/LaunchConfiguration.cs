using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Contracts.Launching;

/// <summary>What one release is: the image, how its container is created, how its health is judged, how it is drained and stopped.</summary>
/// <remarks>
/// The document <c>container.{hash}.json</c> and, whole, <c>current.json</c>. Property names are matched without regard to case.
/// Read it with <see cref="LaunchConfigurationReader"/>, which checks it and fills in the defaults; the generated JSON only writes it.
/// </remarks>
public sealed record LaunchConfiguration
{
    /// <summary>Port of an application that neither names nor exposes one.</summary>
    public const int DefaultPort = 9292;

    /// <summary>Name of the release for people, such as a commit, up to 128 characters; also the image's tag where the configuration names no image.</summary>
    public string Revision { get; init; } = "";

    /// <summary>The Docker Engine's own <c>ContainerConfig</c> object, handed over as it is.</summary>
    public required JsonElement ContainerConfig { get; init; }

    /// <summary>The Docker Engine's own <c>HostConfig</c> object, handed over as it is; may be absent.</summary>
    public JsonElement? HostConfig { get; init; }

    /// <summary>Path of the health check without leading slash, as the Go tool wrote it; <see cref="HealthCheckSpec.Path"/> is the longer form.</summary>
    public string? HealthCheckPath { get; init; }

    /// <summary>Path of the page that the application offers for maintenance; fetched at each switch and when maintenance is put up, shown while it is up.</summary>
    public string? MaintenancePath { get; init; }

    /// <summary>Replaces the container even though its configuration already runs.</summary>
    public bool ForceReload { get; init; }

    /// <summary>Container port that receives requests, 1 to 65535; absent: the only exposed port, else 9292.</summary>
    public int? Port { get; init; }

    /// <summary>What the application speaks on that port; health checks are sent by it too.</summary>
    public ApplicationProtocol Protocol { get; init; }

    /// <summary>How the health of a container is judged.</summary>
    public HealthCheckSpec HealthCheck { get; init; } = new();

    /// <summary>How long requests of a replaced release may take to finish.</summary>
    public DrainSpec Drain { get; init; } = new();

    /// <summary>How long requests wait for a release that can't be reached, or for the end of a pause.</summary>
    public HoldSpec Hold { get; init; } = new();

    /// <summary>How a container is stopped.</summary>
    public StopSpec Stop { get; init; } = new();

    /// <summary>How long the replaced release stays warm.</summary>
    public ProbationSpec Probation { get; init; } = new();

    /// <summary>Which requests of the host's Proxy belong to the application.</summary>
    public Routing Routing { get; init; } = new();

    /// <summary>What requests may take, and how long the application may take to answer them.</summary>
    public Limits Limits { get; init; } = new();

    /// <summary>What is wanted of clients that speak TLS with the Proxy; absent: nothing.</summary>
    public TlsSettings? Tls { get; init; }

    /// <summary>The application's own pages for requests that end in an error.</summary>
    public ErrorPages ErrorPages { get; init; } = new();

    /// <summary>What the Proxy keeps for slow clients.</summary>
    public Buffering Buffering { get; init; } = new();

    /// <summary>Which answers the Proxy compresses; absent: none.</summary>
    public Compression? Compression { get; init; }

    /// <summary>Who sees the release while it stands by; absent: nobody.</summary>
    public Preview? Preview { get; init; }

    /// <summary>Which clients it gets while it stands by.</summary>
    public CanarySpec Canary { get; init; } = new();

    /// <summary>An image archive in the object store, used when the registry can't serve the image.</summary>
    public ArtifactSpec? Artifact { get; init; }

    /// <summary>The container port that receives requests: <see cref="Port"/>, else the only exposed TCP port, else <see cref="DefaultPort"/>.</summary>
    [JsonIgnore]
    public int ContainerPort => Port ?? OnlyExposedPort() ?? DefaultPort;

    /// <summary>Path and query of the health check, with leading slash.</summary>
    public string HealthPath() => HealthCheck.Path ?? Rooted(HealthCheckPath ?? "");

    /// <summary>Path and query of the application's own maintenance page, with leading slash; <see langword="null"/> if it offers none.</summary>
    public string? MaintenancePagePath() => string.IsNullOrEmpty(MaintenancePath) ? null : Rooted(MaintenancePath);

    /// <summary>The image: <c>ContainerConfig.Image</c>, else, as the Go tool did, the revision of the application in the host's own registry.</summary>
    /// <param name="registryPort">Port of the registry on localhost.</param>
    /// <param name="application">Name of the application, which is the repository's.</param>
    public string ImageReference(int registryPort, string application)
    {
        var image = EngineObject.TextOf(ContainerConfig, "Image");
        return string.IsNullOrEmpty(image) ? $"localhost:{registryPort}/{application}:{Revision}" : image;
    }

    /// <summary>One probe of the health check, as Controller and Proxy send it.</summary>
    public HealthProbe ToProbe()
    {
        var headers = new Dictionary<string, string>(HealthCheck.Headers, StringComparer.OrdinalIgnoreCase);
        headers.TryAdd("X-Forwarded-Proto", "https");
        return new HealthProbe
        {
            Protocol = Protocol,
            Path = HealthPath(),
            Host = HealthCheck.Host ?? "localhost",
            Headers = headers,
            ExpectedStatus = HealthCheck.ExpectedStatus,
            ExpectedBody = HealthCheck.ExpectedBody,
            Timeout = HealthCheck.Timeout,
        };
    }

    private static string Rooted(string path) => path.StartsWith('/') ? path : "/" + path;

    private int? OnlyExposedPort()
    {
        int[] ports = [.. EngineObject.MembersOf(ContainerConfig, "ExposedPorts").Select(p => ExposedPort.TcpPortOf(p.Name)).OfType<int>().Distinct()];
        return ports is [var only] ? only : null;
    }
}

/// <summary>How the health of a container is judged: HTTP GET requests from the host.</summary>
public sealed record HealthCheckSpec
{
    /// <summary>Path and query, with leading slash; absent: <see cref="LaunchConfiguration.HealthCheckPath"/>, else <c>/</c>.</summary>
    public string? Path { get; init; }

    /// <summary>Value of the Host header; absent: <c>localhost</c>.</summary>
    public string? Host { get; init; }

    /// <summary>Further headers, at most 32; <c>X-Forwarded-Proto: https</c> is sent unless it is set here.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Statuses that count as healthy: codes and ranges, such as <c>200-299,304</c>.</summary>
    public string ExpectedStatus { get; init; } = "200-299";

    /// <summary>Text that a healthy answer's first 64 KiB contain, up to 4096 characters; absent: any body.</summary>
    public string? ExpectedBody { get; init; }

    /// <summary>Pause between two probes of a running release; a starting one is probed more often. 100 ms to 1 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Limit of one probe. 10 ms to 5 min.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the start of the container until it must be healthy. 1 s to 24 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Healthy answers in a row before traffic moves, 1 to 100.</summary>
    public int Successes { get; init; } = 1;

    /// <summary>Unhealthy answers in a row before a ready release counts as unready, 1 to 100.</summary>
    public int Failures { get; init; } = 3;

    /// <summary>Who answers visitors of <see cref="Path"/> while maintenance is up or traffic is paused; <c>/</c> is a page like any other.</summary>
    public HealthInMaintenance InMaintenance { get; init; }
}

/// <summary>How long requests of a replaced release may take to finish.</summary>
public sealed record DrainSpec
{
    /// <summary>Limit of plain requests, up to 24 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Limit of WebSockets, server-sent events and other endless answers, up to 24 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>How long requests wait for a release that can't be reached, as while its container is started again, or for the end of a pause.</summary>
public sealed record HoldSpec
{
    /// <summary>Limit of each request's wait, up to 5 min; zero: none waits.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>How a container is stopped.</summary>
public sealed record StopSpec
{
    /// <summary>Longest <see cref="Timeout"/>: 1 h.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Signal that asks the container to stop, such as <c>SIGTERM</c>, <c>USR1</c> or <c>15</c>; absent: the engine's own <c>ContainerConfig.StopSignal</c>, else the image's.</summary>
    public string? Signal { get; init; }

    /// <summary>From the signal until SIGKILL, up to 1 h; the engine takes whole seconds, rounded up. Absent: the engine's own <c>ContainerConfig.StopTimeout</c>, else 10 s.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>How long the replaced release stays warm, so that traffic can return to it without starting anything, and what the new one is judged by meanwhile.</summary>
/// <remarks>That a release dies or becomes unready counts always; how its requests go counts in the first 15 minutes, where a limit is given.</remarks>
public sealed record ProbationSpec
{
    /// <summary>Most that <see cref="MinRequests"/> may be.</summary>
    public const int MostRequests = 1_000_000;

    /// <summary>Longest <see cref="MaxLatency"/>: 1 h.</summary>
    public static readonly TimeSpan LongestLatency = TimeSpan.FromHours(1);

    /// <summary>From the switch until the replaced release is stopped, up to 24 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Share of requests, 0 to 1, that may be answered with a status from 500 on; the replaced release may have had more. Traffic goes back when it is more than both with confidence.
    /// Absent: errors don't count.
    /// </summary>
    [JsonConverter(typeof(PercentageJsonConverter))]
    public double? MaxErrorRate { get; init; }

    /// <summary>How long 99 of 100 requests may take at the most, up to 1 h; the replaced release may have been slower. Absent: latency doesn't count.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan? MaxLatency { get; init; }

    /// <summary>Fewer requests than these say nothing about a release, 1 to 1,000,000.</summary>
    public int MinRequests { get; init; } = 100;
}

/// <summary>Which clients a release gets while it stands by.</summary>
public sealed record CanarySpec
{
    /// <summary>Percent of the clients, 0 to 100, from a launch on until it is changed by order or the release has all traffic. 0: none until it is ordered.</summary>
    public int Percent { get; init; }

    /// <summary>Header by whose value clients are told apart, such as one with a customer's number; those that don't send it, or all where it is absent, by a signed cookie.</summary>
    public string? Header { get; init; }
}

/// <summary>An image archive in the object store, as <c>docker save</c> writes it, plain or gzip.</summary>
public sealed record ArtifactSpec
{
    /// <summary>Bucket of the archive; absent: the Controller's own.</summary>
    public string? Bucket { get; init; }

    /// <summary>Key of the archive in its bucket.</summary>
    public required string Key { get; init; }
}
