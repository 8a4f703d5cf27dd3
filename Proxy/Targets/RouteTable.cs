using System.Collections.Immutable;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Which application a request belongs to. Never changed, only replaced by another one in one step.</summary>
internal sealed class RouteTable
{
    private readonly ImmutableArray<Claimed> _closestFirst;

    private RouteTable(ImmutableDictionary<string, ServedApplication> applications)
    {
        Applications = applications;
        _closestFirst =
        [
            .. applications.Values.SelectMany(ClaimsOf)
                .OrderByDescending(c => c.Host is null ? 0 : c.Host.StartsWith('*') ? 1 : 2)
                .ThenByDescending(c => c.Host?.Length ?? 0)
                .ThenByDescending(c => c.Prefix.Length),
        ];
    }

    /// <summary>No application at all.</summary>
    public static RouteTable Empty { get; } = new(ImmutableDictionary<string, ServedApplication>.Empty);

    /// <summary>The applications by name.</summary>
    public ImmutableDictionary<string, ServedApplication> Applications { get; }

    /// <summary>The application that claims a request most closely; absent: none does.</summary>
    public ServedApplication? Find(RequestPlace place)
    {
        foreach (var claimed in _closestFirst)
        {
            if (place.IsWithin(claimed.Host, claimed.Prefix))
            {
                return claimed.Application;
            }
        }

        return null;
    }

    /// <summary>Whether an application that a request for a host may belong to wants clients to show a certificate.</summary>
    public bool AsksClient(string host)
    {
        foreach (var claimed in _closestFirst)
        {
            if (claimed.Application.Serving.AsksClient && new RequestPlace(host, "/").IsWithin(claimed.Host, "/"))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The table with an application, and its claims as they are now.</summary>
    public RouteTable With(string name, ServedApplication application) => new(Applications.SetItem(name, application));

    /// <summary>The table without an application.</summary>
    public RouteTable Without(string name) => new(Applications.Remove(name));

    private static IEnumerable<Claimed> ClaimsOf(ServedApplication application) => application.Serving.Routing is var routing && routing.Hosts.Count == 0
        ? [new Claimed(null, routing.PathPrefix, application)]
        : routing.Hosts.Select(host => new Claimed(host, routing.PathPrefix, application));

    private readonly record struct Claimed(string? Host, string Prefix, ServedApplication Application);
}
