namespace Wunderproxy.Controller.Releases;

/// <summary>What the plan takes for granted.</summary>
internal sealed record PlanSettings
{
    public required string Application { get; init; }

    public required string Installation { get; init; }

    /// <summary>Containers of the application that exist at most, in any state.</summary>
    public int MaxContainers { get; init; } = 4;

    /// <summary>Releases that stand by at most; a further launch takes the place of the oldest.</summary>
    public int MaxStandbys { get; init; } = 2;

    /// <summary>From the acceptance of a launch, switch or deployment until it has ended.</summary>
    public TimeSpan ProgressDeadline { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a launched release stands by without being switched to.</summary>
    public TimeSpan StandbyLimit { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Releases that were active and whose images stay here.</summary>
    public int RetainedImages { get; init; } = 3;

    /// <summary>Exits of a release on its way that was ready in between, until it is rejected.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>A run as long as this forgets the crashes before it.</summary>
    public TimeSpan GoodRun { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often the Proxy is asked while requests drain.</summary>
    public TimeSpan DrainPoll { get; init; } = TimeSpan.FromMilliseconds(250);
}
