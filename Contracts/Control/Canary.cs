namespace Wunderproxy.Contracts.Control;

/// <summary>The share of clients that a release gets while it stands by. A client stays where it is until the switch, unless the share becomes smaller.</summary>
public sealed record Canary
{
    /// <summary>Bytes of <see cref="Key"/>.</summary>
    public const int KeyBytes = 32;

    /// <summary>Percent of the clients, 1 to 100.</summary>
    public required int Percent { get; init; }

    /// <summary>Header by whose value clients are told apart; those that don't send it, or all where it is absent, by a cookie.</summary>
    public string? Header { get; set; }

    /// <summary>What cookies are signed with (HMAC-SHA256). The hosts of an application have the same, so that a client is in the same share on each. Secret.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Prints no key.</summary>
    public override string ToString() => $"{nameof(Canary)} of {Percent} %";
}
