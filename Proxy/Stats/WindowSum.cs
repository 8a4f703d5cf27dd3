using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Adds up the steps of a window.</summary>
/// <param name="slowAfter">From when on a request counts as slow; absent: none does.</param>
internal sealed class WindowSum(TimeSpan? slowAfter)
{
    private readonly LatencyHistogram _latencies = new();
    private readonly List<long> _errors = [];
    private readonly List<long> _slow = [];

    /// <summary>Adds what was counted in one step.</summary>
    public void Add(LatencyCounts latencies, long errors)
    {
        _latencies.Add(latencies);
        _errors.Add(errors);
        _slow.Add(slowAfter is { } limit ? latencies.CountAbove(limit) : 0);
    }

    /// <summary>The window.</summary>
    /// <param name="minutes">Its length.</param>
    public LatencyWindow Report(int minutes) => new(
        minutes, _latencies.Count, _latencies.PercentileMs(0.50), _latencies.PercentileMs(0.90), _latencies.PercentileMs(0.99), _latencies.MaxMs, _errors.Sum(), _slow.Sum())
    {
        ErrorDispersion = Dispersion(_errors),
        SlowDispersion = Dispersion(_slow),
    };

    // Of one step, or of nothing, there is no variance: then each is taken to come by itself.
    private static double Dispersion(List<long> counts)
    {
        var mean = counts.Count > 1 ? counts.Average() : 0;
        return mean == 0 ? 1 : counts.Sum(count => (count - mean) * (count - mean)) / (counts.Count - 1) / mean;
    }
}
