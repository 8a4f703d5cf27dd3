using System.Diagnostics.CodeAnalysis;
using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Peers;

/// <summary>The other hosts of the same applications, to which requests go that this one can't answer.</summary>
/// <param name="options">Which, and how much.</param>
/// <param name="key">The secret that they share.</param>
/// <param name="time">The clock.</param>
internal sealed class OtherHosts(PeerOptions options, byte[] key, TimeProvider time) : IDisposable
{
    // Whoever looks after the health of this host asks about no other one, also where no release says which path that is.
    private static readonly string[] HealthPaths = ["/status", "/health", "/healthz", "/ready", "/readyz", "/live", "/livez", "/ping", "/up"];

    private readonly OtherHost[] _hosts = [.. options.Addresses.Select(address => new OtherHost(address, options.Timeout, time))];
    private readonly PeerMark _mark = new(key);
    private readonly PeerBudget _budget = new(options.Share, options.MaxInFlight);
    private int _turn;

    /// <summary>Requests that had to stay here because as many as may had gone already.</summary>
    public long Refused => _budget.Refused;

    /// <summary>What each host has got.</summary>
    public IReadOnlyList<PeerTraffic> Report() => [.. _hosts.Select(host => host.Report())];

    /// <summary>Takes hold of another host for a request.</summary>
    /// <param name="exchange">The request; nothing of it was sent, or it may be sent again.</param>
    /// <param name="serving">How its application is served; absent: it isn't known here.</param>
    /// <param name="host">The host.</param>
    /// <param name="claim">The hold; once it is given up, <see cref="Leave"/> follows.</param>
    /// <returns><see langword="false"/>: it is to stay here.</returns>
    public bool TryClaim(Exchange exchange, Serving? serving, [NotNullWhen(true)] out OtherHost? host, [NotNullWhen(true)] out Claim? claim)
    {
        claim = null;
        host = MayGo(exchange, serving) ? Next() : null;
        if (host is null || !_budget.TryEnter())
        {
            return false;
        }

        if (host.Upstream.TryClaim(out claim))
        {
            return true;
        }

        // The Proxy is being disposed.
        Leave();
        return false;
    }

    /// <summary>Counts out a request that went to another host.</summary>
    public void Leave() => _budget.Leave();

    /// <summary>The mark that a request gets on its way there.</summary>
    public string MarkOf(Exchange exchange) => _mark.Of(exchange);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var host in _hosts)
        {
            host.Upstream.Drain(TimeSpan.Zero, TimeSpan.Zero);
        }
    }

    // Where clients have to show a certificate, another host wouldn't see it. What stays open would be there long after this host has recovered.
    private bool MayGo(Exchange exchange, Serving? serving)
    {
        var request = exchange.Context.Request;
        return !exchange.WentToOtherHost && serving is not { RequiresClient: true }
            && !RequestChecks.WaitsLong(request) && request.Headers.Upgrade.Count == 0 && !Upgrade.IsConnect(request)
            && !IsHealthCheck(exchange, serving) && !_mark.IsOn(exchange) && !IsMarkedByOther(exchange);
    }

    // Hosts whose keys differ don't know each other's marks, and must not send a request in a circle, either.
    private bool IsMarkedByOther(Exchange exchange) =>
        exchange.Context.Request.Headers.ContainsKey(PeerMark.Header) && IPAddress.TryParse(exchange.Peer.Address, out var address) && options.Networks.Any(network => network.Contains(address));

    private static bool IsHealthCheck(Exchange exchange, Serving? serving)
    {
        var place = RequestChecks.PlaceOf(exchange.Context);
        if (serving?.IsHealthCheck(place) is true)
        {
            return true;
        }

        foreach (var path in HealthPaths)
        {
            if (place.HasPath(path))
            {
                return true;
            }
        }

        return false;
    }

    // In turn, less those that didn't answer a moment ago.
    private OtherHost? Next()
    {
        var first = (uint)Interlocked.Increment(ref _turn);
        for (uint i = 0; i < _hosts.Length; i++)
        {
            var host = _hosts[(first + i) % (uint)_hosts.Length];
            if (!host.IsAway)
            {
                return host;
            }
        }

        return null;
    }
}
