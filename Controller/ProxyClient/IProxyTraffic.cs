using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.ProxyClient;

/// <summary>What the Proxy remembers of the traffic.</summary>
internal interface IProxyTraffic
{
    /// <summary>How the traffic of an application went lately.</summary>
    /// <param name="application">Name of the application.</param>
    /// <param name="since">From when it is wanted, rounded down to ten seconds; absent: all that the Proxy remembers.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see langword="null"/> if the Proxy serves no application of that name, or is of a version that remembers nothing.</returns>
    /// <exception cref="ProxyException"><see cref="ProxyFault.Unreachable"/>: nothing is known; limit 2 s.</exception>
    Task<RecentTraffic?> GetTrafficAsync(string application, DateTimeOffset? since, CancellationToken cancellationToken);

    /// <summary>What was counted of each release since the Proxy started.</summary>
    /// <param name="application">Name of the application.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>As for <see cref="GetTrafficAsync"/>.</returns>
    /// <exception cref="ProxyException"><see cref="ProxyFault.Unreachable"/>: nothing is known; limit 2 s.</exception>
    Task<TrafficTotals?> GetTotalsAsync(string application, CancellationToken cancellationToken);
}
