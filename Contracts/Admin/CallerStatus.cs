namespace Wunderproxy.Contracts.Admin;

/// <summary>Whether the caller may change something: answer of <c>GET /caller</c>.</summary>
/// <param name="MayChange">Whether it may.</param>
/// <param name="NeedsToken">Whether it could with the token of the Controller.</param>
/// <param name="Reason">Why not; absent: it may.</param>
public sealed record CallerStatus(bool MayChange, bool NeedsToken, string? Reason);

/// <summary>What was deployed: answer of <c>GET /history</c>, which the Controller reads from the store.</summary>
/// <param name="Entries">The newest first, at most 100.</param>
public sealed record HistoryStatus(IReadOnlyList<HistoryEntry> Entries);
