using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.Controller.Releases;

/// <summary>What the plan decided: first the journal is written, then the one effect begins.</summary>
/// <param name="Row">Id of the row that matched.</param>
/// <param name="Reason">Why, in words.</param>
internal sealed record Step(string Row, string Reason)
{
    /// <summary>The journal to write first; absent: it stays as it is.</summary>
    public Journal? Journal { get; init; }

    /// <summary>The effect; absent: none.</summary>
    public Effect? Effect { get; init; }

    /// <summary>A container whose last log lines belong to the evidence that <see cref="Journal"/> holds for its release.</summary>
    public (string Hash, string ContainerId)? EvidenceOf { get; init; }

    /// <summary>When to look again at the latest; absent: when something happens.</summary>
    public DateTimeOffset? LookAgainAt { get; init; }

    /// <summary>Whether there is nothing to do now.</summary>
    public bool IsWait => Journal is null && Effect is null;
}
