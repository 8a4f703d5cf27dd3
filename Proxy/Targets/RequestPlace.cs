using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Where a request is addressed to.</summary>
/// <param name="host">Host header or <c>:authority</c>, with or without a port.</param>
/// <param name="path">Path, perhaps with a query, as it was sent.</param>
internal readonly ref struct RequestPlace(ReadOnlySpan<char> host, ReadOnlySpan<char> path)
{
    private readonly ReadOnlySpan<char> _host = host;
    private readonly ReadOnlySpan<char> _path = path;

    /// <summary>Whether a claim of a host and a path prefix covers it.</summary>
    /// <param name="host">A name, <c>*.</c> and a name, or absent for every host.</param>
    /// <param name="prefix">Whole segments.</param>
    public bool IsWithin(string? host, string prefix) => IsUnder(prefix) && (host is null || IsAt(host));

    /// <summary>Whether it is a path, whatever query follows.</summary>
    /// <param name="path">The path, perhaps with a query.</param>
    public bool HasPath(ReadOnlySpan<char> path) => WithoutQuery(_path).SequenceEqual(WithoutQuery(path));

    /// <summary>What follows a prefix in the path, query included; all of it where the prefix doesn't begin it.</summary>
    /// <param name="prefix">Whole segments.</param>
    public ReadOnlySpan<char> Behind(string prefix) => IsUnder(prefix) ? _path[prefix.Length..] : _path;

    /// <summary>The path of what a request asks for.</summary>
    /// <param name="rawTarget">As it was sent, perhaps with scheme and host before it.</param>
    /// <param name="maxLength">Characters that are taken of it.</param>
    /// <returns>It never has the query.</returns>
    public static string PathOf(string rawTarget, int maxLength)
    {
        var origin = RequestChecks.OriginFormOf(rawTarget);
        var end = origin.IndexOf('?');
        var path = end < 0 ? origin : origin[..end];
        return path.Length == 0 ? "/" : path[..Math.Min(path.Length, maxLength)].ToString();
    }

    /// <summary>The host without its port; the colons within <c>[::1]</c> are none of it.</summary>
    public static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> host)
    {
        var colon = host.LastIndexOf(':');
        return colon > host.LastIndexOf(']') ? host[..colon] : host;
    }

    // Only here, for most applications claim every host.
    private bool IsAt(string host)
    {
        var name = WithoutPort(_host).TrimEnd('.');
        return host.StartsWith("*.", StringComparison.Ordinal)
            ? name.Length > host.Length - 1 && name.EndsWith(host.AsSpan(1), StringComparison.OrdinalIgnoreCase)
            : name.Equals(host, StringComparison.OrdinalIgnoreCase);
    }

    private bool IsUnder(string prefix) =>
        prefix == "/"
        || (_path.StartsWith(prefix, StringComparison.Ordinal) && (_path.Length == prefix.Length || _path[prefix.Length] is '/' or '?'));

    private static ReadOnlySpan<char> WithoutQuery(ReadOnlySpan<char> path) => path.IndexOf('?') is >= 0 and var mark ? path[..mark] : path;
}
