namespace Wunderproxy.Contracts.Control;

/// <summary>The host is out of service: load balancers are told by the health check's path that it isn't ready, and everything else is served as before.</summary>
/// <remarks>
/// <c>PUT /host-drain</c> on the control socket begins it, <c>DELETE /host-drain</c> ends it; neither has a body. Both answer 200 with <see cref="ProxyStatus"/> once it is on the disk, be it so before;
/// 507 (<see cref="ControlProblem.NotPersisted"/>): nothing changed. It holds for all applications of the Proxy, through its restarts, until it is ended.
/// </remarks>
public sealed record HostDrain
{
    /// <summary>When it was begun.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>How often somebody asked for the health check's path since then, or since the Proxy started.</summary>
    public long HealthChecks { get; init; }

    /// <summary>When the latest other request came; absent: none since then, or since the Proxy started.</summary>
    public DateTimeOffset? LastRequest { get; init; }
}
