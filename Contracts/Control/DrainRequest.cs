using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>Ends the drain of replaced targets now, or gives what still runs on them another limit.</summary>
/// <remarks>
/// Body of <c>POST /applications/{application}/drain</c>. It says either <see cref="End"/> or at least one of the limits; a limit that it doesn't say stays as it is.
/// 200 with <see cref="ApplicationState"/>: the limits hold from now on. 404 (<see cref="ControlProblem.UnknownApplication"/>);
/// 409 (<see cref="ControlProblem.ClaimedByOther"/>, <see cref="ControlProblem.NotDraining"/>): nothing changed.
/// What was cut already is gone; a target that serves again is not draining. After a restart of the Proxy nothing of a drain is left.
/// </remarks>
public sealed record DrainRequest
{
    /// <summary>Which Controller owns the application.</summary>
    public required string Installation { get; init; }

    /// <summary>The container whose drain is meant; absent: every target of the application that drains.</summary>
    public string? ContainerId { get; init; }

    /// <summary>Cuts everything now. WebSockets are told first, and have a second for their answers.</summary>
    public bool End { get; init; }

    /// <summary>How long plain requests may go on from now, at most 24 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan? DrainTimeout { get; init; }

    /// <summary>The same for upgraded connections and streams. WebSockets that weren't told to close yet are spread over the new time.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan? StreamDrainTimeout { get; init; }
}
