using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Contracts.Admin;

/// <summary>How an application's traffic went on this host: answer of <c>GET /traffic?minutes=60</c>, for 1 to 1440 minutes.</summary>
public sealed record TrafficDocument
{
    /// <summary>Length of a step: 1 s for 10 minutes or less, else 10 s.</summary>
    public required int StepSeconds { get; init; }

    /// <summary>Up to when it is known: now, or when the Proxy was asked last.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Each release that had traffic within the time.</summary>
    public IReadOnlyList<RevisionTraffic> Revisions { get; init => field = value ?? []; } = [];

    /// <summary>When traffic was moved within the time, the oldest first.</summary>
    public IReadOnlyList<TrafficSwitch> Switches { get; init => field = value ?? []; } = [];
}

/// <summary>Traffic of one release.</summary>
/// <param name="Revision">Its name for people; empty for requests without a target.</param>
/// <param name="Hash">Hash of its launch configuration; null: requests that got no target, and were answered by the Proxy itself.</param>
/// <param name="Points">Steps in which something happened, the oldest first.</param>
public sealed record RevisionTraffic(string Revision, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Hash, IReadOnlyList<TrafficPoint> Points);
