namespace Wunderproxy.Controller.Docker;

/// <summary>How long each kind of call may take. Another value than the default is for tests.</summary>
internal sealed record EngineDeadlines
{
    /// <summary>From the first byte to an open connection.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Every call not named below.</summary>
    public TimeSpan Short { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Create of a container.</summary>
    public TimeSpan Create { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Start of a container.</summary>
    public TimeSpan Start { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Stop of a container, on top of its grace.</summary>
    public TimeSpan AfterGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A whole pull.</summary>
    public TimeSpan Pull { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>A pull without any progress.</summary>
    public TimeSpan PullSilence { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Load of an image archive.</summary>
    public TimeSpan Load { get; init; } = TimeSpan.FromMinutes(30);
}
