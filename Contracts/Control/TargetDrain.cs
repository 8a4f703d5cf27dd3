using System.Collections.ObjectModel;

namespace Wunderproxy.Contracts.Control;

/// <summary>What still runs on a target that was replaced.</summary>
public sealed record TargetDrain
{
    /// <summary>Most requests that are listed.</summary>
    public const int MaxListed = 100;

    /// <summary>When plain requests are cut; absent: never, for the container serves again.</summary>
    public DateTimeOffset? PlainDeadline { get; init; }

    /// <summary>When streams and upgraded connections are cut; absent: never, for the container serves again.</summary>
    public DateTimeOffset? StreamDeadline { get; init; }

    /// <summary>How many there are of each kind; kinds of which there are none are left out.</summary>
    public IReadOnlyDictionary<RequestKind, long> ByKind { get; init => field = value ?? ReadOnlyDictionary<RequestKind, long>.Empty; } = ReadOnlyDictionary<RequestKind, long>.Empty;

    /// <summary>The oldest of them, at most <see cref="MaxListed"/>, the oldest first.</summary>
    public IReadOnlyList<DrainingRequest> Oldest { get; init => field = value ?? []; } = [];
}

/// <summary>One request that still runs on a target that was replaced.</summary>
public sealed record DrainingRequest
{
    /// <summary>Most characters of a path that are shown.</summary>
    public const int MaxPathLength = 256;

    /// <summary>What it is.</summary>
    public required RequestKind Kind { get; init; }

    /// <summary>Since when it runs, in seconds.</summary>
    public required double AgeSeconds { get; init; }

    /// <summary>Its path as it was sent, at most <see cref="MaxPathLength"/> characters of it. Never the query, which often holds secrets.</summary>
    public required string Path { get; init; }

    /// <summary>When it is cut; absent: never, for the container serves again.</summary>
    public DateTimeOffset? Deadline { get; init; }
}

/// <summary>What a request is, as far as a drain treats it.</summary>
public enum RequestKind
{
    /// <summary>It is answered and over.</summary>
    Plain,

    /// <summary>Its answer stays open: events, or a body without a length that was still open when the time of plain requests was over.</summary>
    Stream,

    /// <summary>A WebSocket; it is told to close before it is cut.</summary>
    WebSocket,

    /// <summary>A connection that was upgraded to another protocol.</summary>
    Upgrade,
}
