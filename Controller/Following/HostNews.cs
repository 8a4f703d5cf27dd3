using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Following;

/// <summary>Something that has changed on a host that is followed; as JSON, one line each.</summary>
internal sealed record HostNews
{
    /// <summary>What kind of news.</summary>
    public required NewsKind News { get; init; }

    /// <summary>The host as it was named.</summary>
    public required string Host { get; init; }

    /// <summary>The release.</summary>
    public required string Hash { get; init; }

    /// <summary>When, by the host's clock; absent where the host didn't say it.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The phase that the release has entered.</summary>
    public ReleasePhase? Phase { get; init; }

    /// <summary>How far it is within its phase.</summary>
    public DeploymentProgress? Progress { get; init; }

    /// <summary>How it ended.</summary>
    public FollowEnd? End { get; init; }

    /// <summary>What is so, why, and what to do.</summary>
    public string? Message { get; init; }

    /// <summary>Why the release failed.</summary>
    public FailureEvidence? Failure { get; init; }
}

/// <summary>Kinds of news.</summary>
internal enum NewsKind
{
    /// <summary>The host has begun the deployment.</summary>
    Began,

    /// <summary>The release has entered a phase.</summary>
    Phase,

    /// <summary>It is farther within its phase, or what runs on replaced releases is less or more; twice a second at most.</summary>
    Progress,

    /// <summary>Something keeps the host from going on, such as a full disk.</summary>
    Hindered,

    /// <summary>The host isn't reached; it is asked again.</summary>
    Lost,

    /// <summary>The host is reached again.</summary>
    Found,

    /// <summary>The last news of the host.</summary>
    End,
}
