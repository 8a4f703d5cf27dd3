using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Admin;

/// <summary>Why a host does what it does, or waits: answer of <c>GET /explain</c>.</summary>
public sealed record PlanExplanation
{
    /// <summary>When the plan decided so.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The rule that was chosen; <c>Settled</c> where none had anything to do.</summary>
    public required string Row { get; init; }

    /// <summary>Why, or what is waited for, in words.</summary>
    public required string Reason { get; init; }

    /// <summary>When it looks again at the latest; absent: when something happens.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public DateTimeOffset? LookAgainAt { get; init; }

    /// <summary>What is under way, such as <c>Pull localhost:8080/shop:2f1c9e0</c>.</summary>
    public IReadOnlyList<string> Working { get; init => field = value ?? []; } = [];

    /// <summary>Every rule of the plan, in the order in which they are tried.</summary>
    public IReadOnlyList<RuleVerdict> Rules { get; init => field = value ?? []; } = [];
}

/// <summary>What became of one rule of the plan.</summary>
public sealed record RuleVerdict
{
    /// <summary>Its name.</summary>
    public required string Row { get; init; }

    /// <summary>When it applies.</summary>
    public required string When { get; init; }

    /// <summary>What is done then.</summary>
    public required string Then { get; init; }

    /// <summary>What became of it.</summary>
    public required RuleOutcome Outcome { get; init; }

    /// <summary>Why.</summary>
    public required string Why { get; init; }

    /// <summary>Until when it waits at the latest; absent: it doesn't, or until something happens.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>What can become of a rule of the plan.</summary>
public enum RuleOutcome
{
    /// <summary>It was chosen.</summary>
    Chosen,

    /// <summary>It applies, and has to wait for something.</summary>
    Waits,

    /// <summary>It doesn't apply, or what it wants is so already.</summary>
    NotNow,

    /// <summary>One before it was chosen.</summary>
    NotReached,
}
