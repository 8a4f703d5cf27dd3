using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>A release that is healthy and hasn't got the traffic, and who gets to it all the same. Whoever isn't answered there gets the active one.</summary>
public sealed record Standby
{
    /// <summary>Its container.</summary>
    public required Target Target { get; init; }

    /// <summary>Who is shown it; absent: nobody.</summary>
    public Preview? Preview { get; set; }

    /// <summary>The share of clients that it gets; absent: none.</summary>
    public Canary? Canary { get; set; }

    /// <summary>How long its plain requests may go on where it is withdrawn.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The same for upgraded connections and streams.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan StreamDrainTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>What the Proxy says of a release that stands by.</summary>
public sealed record StandbyState
{
    /// <summary>Its container.</summary>
    public required Target Target { get; init; }

    /// <summary>Percent of the clients that it gets, 0 to 100.</summary>
    public required int Percent { get; init; }
}

/// <summary>Requests that a target has got while it stood by; they are part of its traffic.</summary>
public sealed record StandbyTraffic
{
    /// <summary>Those of callers that may see it before the switch.</summary>
    public required long Previews { get; init; }

    /// <summary>Those of its share of clients.</summary>
    public required long Canary { get; init; }

    /// <summary>Those that went to the active release instead, for it wasn't reached, or had no place.</summary>
    public required long SentBack { get; init; }
}
