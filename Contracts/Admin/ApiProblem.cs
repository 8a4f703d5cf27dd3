using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Admin;

/// <summary>An error of the admin API: an RFC 9457 problem document (<c>application/problem+json</c>), with the member names of that standard.</summary>
public sealed record ApiProblem
{
    /// <summary>The kind of problem, for programs: stable words such as <c>unknown-hash</c>.</summary>
    [JsonPropertyName("type")]
    public required string Type { get; init; }

    /// <summary>The kind in words, the same for each problem of the kind.</summary>
    [JsonPropertyName("title")]
    public required string Title { get; init; }

    /// <summary>HTTP status of the answer.</summary>
    [JsonPropertyName("status")]
    public required int Status { get; init; }

    /// <summary>What was wrong, where, what still holds, and what to do.</summary>
    [JsonPropertyName("detail")]
    public required string Detail { get; init; }

    /// <summary>The deployment that didn't succeed, with what was found; absent where there is none.</summary>
    public DeploymentStatus? Deployment { get; init; }
}
