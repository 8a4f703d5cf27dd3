namespace Wunderproxy.Contracts.Control;

/// <summary>Raises the fence and asks that a container is not the target: sent before a container is stopped and before a switch is given up.</summary>
/// <remarks>
/// Body of <c>POST /applications/{application}/fence</c>. 200: the fence is raised, persisted, and no snapshot with an older one will move traffic any more.
/// 409 (<see cref="ControlProblem.IsTarget"/>): the container is the target, or the standby; nothing changed. 409 (<see cref="ControlProblem.StaleFence"/>): the fence is not newer.
/// 409 (<see cref="ControlProblem.InUse"/>): requests run on the container that were to have ended; nothing changed.
/// 200 as well for an application that the Proxy doesn't know: it has no target there.
/// </remarks>
public sealed record FenceRequest
{
    /// <summary>Which Controller owns the application.</summary>
    public required string Installation { get; init; }

    /// <summary>The new fence, newer than any that was sent.</summary>
    public required long Fence { get; init; }

    /// <summary>The container that must be neither the target nor the standby; empty: any may be.</summary>
    public required string NotTarget { get; init; }

    /// <summary>Whether no request and no stream may be left on that container.</summary>
    public bool MustBeIdle { get; init; }
}

/// <summary>An error of the control API: an RFC 9457 problem document (<c>application/problem+json</c>).</summary>
public sealed record ControlProblem
{
    /// <summary>The generation is older than the one that is served, or equal with another content.</summary>
    public const string StaleGeneration = "stale-generation";

    /// <summary>The fence is not newer than the newest one seen.</summary>
    public const string StaleFence = "stale-fence";

    /// <summary>The application belongs to another Controller.</summary>
    public const string ClaimedByOther = "claimed-by-other";

    /// <summary>The Proxy's own probe of the target failed.</summary>
    public const string TargetUnhealthy = "target-unhealthy";

    /// <summary>The container is the target, or the standby.</summary>
    public const string IsTarget = "is-target";

    /// <summary>Requests or streams run on the container.</summary>
    public const string InUse = "in-use";

    /// <summary>The state couldn't be written to disk.</summary>
    public const string NotPersisted = "not-persisted";

    /// <summary>Nothing drains there.</summary>
    public const string NotDraining = "not-draining";

    /// <summary>The body is not what the call takes.</summary>
    public const string InvalidBody = "invalid-body";

    /// <summary>The Proxy speaks no TLS, so a certificate is of no use to it.</summary>
    public const string NoTls = "no-tls";

    /// <summary>The Proxy knows no application of that name.</summary>
    public const string UnknownApplication = "unknown-application";

    /// <summary>One of the constants above.</summary>
    public required string Type { get; init; }

    /// <summary>The type in words.</summary>
    public required string Title { get; init; }

    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>What was wrong, on what, and what still holds.</summary>
    public string? Detail { get; init; }

    /// <summary>What the Proxy serves, unchanged; absent where it knows no such application.</summary>
    public ApplicationState? State { get; init; }
}
