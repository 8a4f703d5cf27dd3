using System.Collections.ObjectModel;

namespace Wunderproxy.Contracts.Control;

/// <summary>Requests that this host couldn't answer and has sent to another one, since the Proxy started.</summary>
public sealed record PeerTraffic
{
    /// <summary>The other host.</summary>
    public required string Address { get; init; }

    /// <summary>Requests that it has answered, by the reason.</summary>
    public IReadOnlyDictionary<PeerReason, long> Answered { get; init => field = value ?? ReadOnlyDictionary<PeerReason, long>.Empty; } = ReadOnlyDictionary<PeerReason, long>.Empty;

    /// <summary>Requests that it didn't answer, either.</summary>
    public required long Failed { get; init; }

    /// <summary>Requests that are there now.</summary>
    public required long InFlight { get; init; }
}

/// <summary>Why a request goes to another host.</summary>
public enum PeerReason
{
    /// <summary>There is no release here.</summary>
    NoRelease,

    /// <summary>The release couldn't be connected to.</summary>
    Unreachable,

    /// <summary>The release ended the connection without a byte of an answer, and the request may be sent twice.</summary>
    Unanswered,
}
