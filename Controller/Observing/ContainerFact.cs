using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.Controller.Observing;

/// <summary>One container of ours, as the engine and the prober see it.</summary>
internal sealed record ContainerFact
{
    public required ContainerRef Ref { get; init; }

    public required string Id { get; init; }

    public required ContainerState State { get; init; }

    /// <summary>Of the latest run.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public int? ExitCode { get; init; }

    public bool OomKilled { get; init; }

    /// <summary>Whether it may use so much memory only.</summary>
    public bool HasMemoryLimit { get; init; }

    /// <summary>Address and port that receive requests; only while it runs.</summary>
    public string? Address { get; init; }

    /// <summary>Image that it was created from.</summary>
    public required string ImageId { get; init; }

    /// <summary>
    /// Whether an exit is the container's own doing. It is not where the engine went away meanwhile:
    /// a restart of the engine or a reboot of the host stops every container, and that is no fault of the release.
    /// </summary>
    public bool ExitedByItself { get; init; }

    public Verdict Verdict { get; init; } = Verdict.Unverified;

    public bool IsReady => State == ContainerState.Running && Verdict.State == Readiness.Ready;

    public bool IsRunning => State is ContainerState.Running or ContainerState.Paused;
}

/// <summary>What the plan needs to know of the engine's states.</summary>
internal enum ContainerState
{
    /// <summary>Created and never started.</summary>
    Created,

    Running,

    /// <summary>Frozen by somebody else; it answers nothing.</summary>
    Paused,

    Exited,

    /// <summary>Being removed, or dead.</summary>
    Leaving,
}
