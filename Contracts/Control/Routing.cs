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

    /// <summary>
    /// Whether the application sees the path without <see cref="PathPrefix"/>: <c>/cart</c> in place of <c>/shop/cart</c>, and <c>/</c> in place of <c>/shop</c>. It is told
    /// the prefix in <c>X-Forwarded-Prefix</c>; what it answers, links and redirects included, isn't changed.
    /// </summary>
    public bool StripPathPrefix { get; set; }

    /// <summary>Which requests are sent to another address of the application; absent: none is.</summary>
    public Redirect? Redirect { get; set; }

    /// <summary>Whether both say the same.</summary>
    public bool Equals(Routing? other) => other is not null && PathPrefix == other.PathPrefix && Hosts.SequenceEqual(other.Hosts, StringComparer.OrdinalIgnoreCase)
        && StripPathPrefix == other.StripPathPrefix && Redirect == other.Redirect;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PathPrefix, Hosts.Count);

    /// <summary>Whether a name, as it is, is among the <see cref="Hosts"/>.</summary>
    public bool Names(ReadOnlySpan<char> host)
    {
        foreach (var name in Hosts)
        {
            if (host.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether requests for a host belong to the application, as far as the host decides.</summary>
    public bool Covers(string host) => Hosts.Count == 0 || Names(host)
        || Hosts.Any(name => name.StartsWith("*.", StringComparison.Ordinal) && host.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase));

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
