namespace Wunderproxy.Contracts.Admin;

/// <summary>One thing that happened to a release on a host: the data of an event of <c>GET /events</c>.</summary>
/// <remarks>Beside these there is the event <c>status</c>, whose data is a whole <see cref="StatusDocument"/>.</remarks>
public sealed record HostEvent
{
    /// <summary>What happened.</summary>
    public required HostEventKind Event { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Hash of the release that it happened to.</summary>
    public required string Hash { get; init; }

    /// <summary>Name of the release for people.</summary>
    public required string Revision { get; init; }

    /// <summary>Id of the deployment, where it happened in one.</summary>
    public string? Deployment { get; init; }

    /// <summary>What the deployment was asked for as.</summary>
    public DeploymentKind? Kind { get; init; }

    /// <summary>The phase that the release has entered.</summary>
    public ReleasePhase? Phase { get; init; }

    /// <summary>How the deployment ended.</summary>
    public DeploymentEnd? End { get; init; }

    /// <summary>The end in words.</summary>
    public string? Message { get; init; }

    /// <summary>Hash of the release that traffic came from; absent: there was none.</summary>
    public string? From { get; init; }
}

/// <summary>What can happen to a release. Each is also the name of its event, in lower case with hyphens.</summary>
public enum HostEventKind
{
    /// <summary>A deployment of it was accepted.</summary>
    DeploymentAccepted,

    /// <summary>In a deployment it has entered a phase.</summary>
    PhaseChanged,

    /// <summary>A deployment of it has ended.</summary>
    DeploymentEnded,

    /// <summary>Traffic has moved to it.</summary>
    TrafficSwitched,

    /// <summary>It was replaced, and the last of what ran on it has ended.</summary>
    DrainEnded,
}
