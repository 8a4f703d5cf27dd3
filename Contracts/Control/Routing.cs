namespace Wunderproxy.Contracts.Control;

/// <summary>Which requests belong to an application. A request goes to the application that claims it most closely.</summary>
/// <remarks>
/// A host counts before a path: an exact host comes before the longest wildcard, that one before shorter ones, and those before no host at all;
/// among equal hosts the longest path prefix counts. No two applications of a Proxy may claim the same host with the same prefix.
/// </remarks>
public sealed record Routing
{
    /// <summary>Most hosts of one application.</summary>
    public const int MaxHosts = 64;

    /// <summary>Host names without port, such as <c>shop.example</c>, or <c>*.shop.example</c> for every name below one; empty: every host. Case doesn't matter.</summary>
    public IReadOnlyList<string> Hosts { get; set; } = [];

    /// <summary>
    /// Whole segments that the path begins with, such as <c>/shop</c> for <c>/shop</c> and <c>/shop/cart</c>, compared byte for byte as it was
    /// sent; <c>/</c>: every path.
    /// </summary>
    public string PathPrefix { get; set; } = "/";

    /// <summary>Whether both claim the same.</summary>
    public bool Equals(Routing? other) => other is not null && PathPrefix == other.PathPrefix && Hosts.SequenceEqual(other.Hosts, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PathPrefix, Hosts.Count);

    /// <summary>What both claim, in words; absent: nothing.</summary>
    public string? SharedWith(Routing other)
    {
        if (PathPrefix != other.PathPrefix)
        {
            return null;
        }

        if (Hosts.Count == 0 || other.Hosts.Count == 0)
        {
            return Hosts.Count == other.Hosts.Count ? $"every host with path '{PathPrefix}'" : null;
        }

        return Hosts.Intersect(other.Hosts, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } host ? $"host '{host}' with path '{PathPrefix}'" : null;
    }
}
