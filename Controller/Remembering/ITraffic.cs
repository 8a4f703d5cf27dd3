using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Remembering;

/// <summary>How the traffic of the application went on this host.</summary>
internal interface ITraffic
{
    /// <summary>How it went in the last minutes.</summary>
    /// <param name="minutes">1 to 1440.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    Task<TrafficDocument> ReportAsync(int minutes, CancellationToken cancellationToken);
}
