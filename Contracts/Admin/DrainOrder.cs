using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Contracts.Admin;

/// <summary>JSON body of <c>POST /drain</c>: ends the drain of a replaced release now, or gives it more time. It says either <see cref="End"/> or <see cref="Extend"/>.</summary>
public sealed record DrainOrder
{
    /// <summary>Hash of the release, or its first 4 or more digits; absent: each one that drains.</summary>
    public string? Hash { get; init; }

    /// <summary>Cuts what still runs on it. WebSockets are told first, and have a second for their answers.</summary>
    public bool End { get; init; }

    /// <summary>How much later than now agreed it is cut; 24 h from now at the latest.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan? Extend { get; init; }
}

/// <summary>Answer of <c>POST /drain</c>.</summary>
/// <param name="Releases">The releases that it was about, as they are now.</param>
public sealed record DrainStatus(IReadOnlyList<TargetTraffic> Releases);
