namespace Wunderproxy.Contracts.Control;

/// <summary>A certificate that the Proxy makes TLS handshakes with. Nothing of its key is ever told.</summary>
public sealed record CertificateStatus
{
    /// <summary>Name of its files without their endings, or of their folder.</summary>
    public required string Name { get; init; }

    /// <summary>Hosts that it is for, such as <c>shop.example</c> and <c>*.shop.example</c>.</summary>
    public IReadOnlyList<string> Hosts { get; init => field = value ?? []; } = [];

    /// <summary>Since when it is valid; absent: none of its files could be used so far.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Until when it is valid.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>Since when it is in force.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>What is wrong with it, or with the files that were to replace it; absent: nothing.</summary>
    public string? Problem { get; init; }
}
