namespace Wunderproxy.Contracts.Control;

/// <summary>Who sees a release before it has the traffic, while it stands by. Everybody else gets the active one.</summary>
public sealed record Preview
{
    /// <summary>Header with the token; in the answer the same header has the hash of the release that was previewed. It never reaches an application.</summary>
    public const string Header = "Wunderproxy-Preview";

    /// <summary>Fewest characters of a token: a shorter one could be found by trying.</summary>
    public const int LeastToken = 16;

    /// <summary>Most characters of a token.</summary>
    public const int MostToken = 256;

    /// <summary>Most <see cref="TokenHashes"/>.</summary>
    public const int MaxTokens = 16;

    /// <summary>Most <see cref="Hosts"/>.</summary>
    public const int MaxHosts = 16;

    /// <summary>Most <see cref="Clients"/>.</summary>
    public const int MaxClients = 64;

    /// <summary>
    /// SHA-256 of each token that is taken, in lower-case hex. A token is 16 to 256 random characters, as <c>openssl rand -hex 32</c> makes them; nobody but its owners ever has it: not the
    /// store, not the host. Empty: none is taken.
    /// </summary>
    public IReadOnlyList<string> TokenHashes { get; set; } = [];

    /// <summary>Hosts of the application, as in <see cref="Routing.Hosts"/>, under which <see cref="Clients"/> see the release. Empty: none.</summary>
    public IReadOnlyList<string> Hosts { get; set; } = [];

    /// <summary>Networks, such as <c>10.0.0.0/8</c> or <c>2001:db8::/32</c>, whose clients see the release under <see cref="Hosts"/> without a token. Empty: none.</summary>
    public IReadOnlyList<string> Clients { get; set; } = [];
}
