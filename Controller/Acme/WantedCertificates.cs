using System.Net;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Acme;

/// <summary>Which certificates an application wants.</summary>
/// <param name="Hosts">For which there is to be one in any case.</param>
/// <param name="Claims">All of its hosts, wildcards included; empty: every host.</param>
/// <param name="OnDemand">Whether others among <paramref name="Claims"/> may be asked for.</param>
internal sealed record WantedCertificates(IReadOnlyList<string> Hosts, IReadOnlyList<string> Claims, bool OnDemand)
{
    /// <summary>What the release that serves wants, and the one that is to serve: its certificates are there before its traffic is.</summary>
    /// <param name="status">What is so.</param>
    /// <param name="find">Finds a configuration by its hash.</param>
    /// <returns>Absent: they want none, or none of them is known.</returns>
    public static WantedCertificates? Of(StatusDocument status, Func<string, LaunchConfiguration?> find) => Of(
        [.. new[] { status.Active, (status.Pin ?? status.Desired)?.Hash }.OfType<string>().Distinct(StringComparer.Ordinal).Select(find).OfType<LaunchConfiguration>()]);

    /// <summary>What configurations want together.</summary>
    public static WantedCertificates? Of(IReadOnlyList<LaunchConfiguration> configurations)
    {
        var wanting = configurations.Where(configuration => configuration.Tls is { Automatic: not AutomaticCertificates.None }).ToList();
        if (wanting.Count == 0)
        {
            return null;
        }

        var claims = wanting.Any(configuration => configuration.Routing.Hosts.Count == 0)
            ? []
            : wanting.SelectMany(configuration => configuration.Routing.Hosts).Select(host => host.ToLowerInvariant()).Distinct(StringComparer.Ordinal).Take(Routing.MaxHosts).ToList();
        var hosts = wanting.SelectMany(configuration => configuration.Routing.Hosts).Where(host => !host.StartsWith('*') && !IPAddress.TryParse(host, out _)).Select(host => host.ToLowerInvariant()).Distinct(StringComparer.Ordinal);
        return new WantedCertificates([.. hosts], claims, wanting.Any(configuration => configuration.Tls!.Automatic is AutomaticCertificates.OnDemand));
    }

    /// <summary>Whether something is a name, and among the application's hosts.</summary>
    public bool Covers(string host) => Uri.CheckHostName(host) is UriHostNameType.Dns && (Claims.Count == 0 || NamePolicy.IsAmong(host, Claims));
}
