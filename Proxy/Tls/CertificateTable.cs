using System.Collections.Frozen;
using System.Net;

namespace Wunderproxy.Proxy.Tls;

/// <summary>Which certificate is for which host. Never changed, only replaced by another one.</summary>
/// <remarks>
/// A client that names a host gets a certificate for that host or none: never that of a stranger. One that names none, or an address, as some health checks do,
/// gets the certificate called <c>default</c>, or the only one that there is. Source: RFC 6066, section 3; for wildcards RFC 9525, section 6.3.
/// </remarks>
internal sealed class CertificateTable
{
    /// <summary>Name of the certificate for clients that name no host.</summary>
    public const string DefaultName = "default";

    private readonly FrozenDictionary<string, ServerCertificate> _byName;
    private readonly ServerCertificate? _default;

    /// <param name="certificates">All, by the names of their files. Of several for the same host the one counts that is valid for longest.</param>
    public CertificateTable(IReadOnlyDictionary<string, ServerCertificate> certificates)
    {
        _byName = certificates.OrderBy(named => named.Value.NotAfter).ThenBy(named => named.Key, StringComparer.Ordinal)
            .SelectMany(named => named.Value.Names.Select(name => (name, named.Value)))
            .GroupBy(pair => pair.name, StringComparer.OrdinalIgnoreCase)
            .ToFrozenDictionary(pairs => pairs.Key, pairs => pairs.Last().Value, StringComparer.OrdinalIgnoreCase);
        _default = certificates.GetValueOrDefault(DefaultName) ?? (certificates.Count == 1 ? certificates.Values.First() : null);
    }

    /// <summary>The certificate for a host.</summary>
    /// <param name="host">Its name; empty where the client names none.</param>
    /// <returns>Absent: there is none.</returns>
    public ServerCertificate? Find(string host) => host.Length == 0 || IPAddress.TryParse(host, out _)
        ? _default
        : _byName.GetValueOrDefault(host) ?? _byName.GetValueOrDefault(WildcardOf(host));

    private static string WildcardOf(string host) => host.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? string.Concat("*", host.AsSpan(dot)) : host;
}
