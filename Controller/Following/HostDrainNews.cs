namespace Wunderproxy.Controller.Following;

/// <summary>How far a host is that is taken out of service; as JSON, one line each.</summary>
internal sealed record HostDrainNews
{
    /// <summary>Always <c>HostDrain</c>.</summary>
    public string News { get; } = "HostDrain";

    /// <summary>The host as it was named.</summary>
    public required string Host { get; init; }

    /// <summary>When, by the host's clock.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Requests that run or wait, on all releases of all applications.</summary>
    public long Requests { get; init; }

    /// <summary>WebSockets and other streams.</summary>
    public long Streams { get; init; }

    /// <summary>How often load balancers have asked for the health check's path, and were told that the host isn't ready.</summary>
    public long HealthChecks { get; init; }

    /// <summary>When the latest other request came; absent: none did.</summary>
    public DateTimeOffset? LastRequest { get; init; }

    /// <summary>How it ended; absent: it goes on.</summary>
    public HostDrainEnd? End { get; init; }

    /// <summary>What is so and what to do, with the end.</summary>
    public string? Message { get; init; }
}

/// <summary>How the following of a host that is taken out of service ended.</summary>
internal enum HostDrainEnd
{
    /// <summary>Nothing runs there any more, and nobody comes.</summary>
    Idle,

    /// <summary>Something still runs or comes, and the time is over.</summary>
    TimedOut,

    /// <summary>Somebody has brought it back.</summary>
    Undrained,

    /// <summary>It can't be asked any more.</summary>
    Unreachable,
}
