using System.Globalization;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>One fault while it is played: what was seen, and how long recovery took.</summary>
internal sealed class Play(FaultAttribute fault)
{
    private readonly List<string> _seen = [];
    private readonly List<TimeSpan> _recoveries = [];

    public FaultAttribute Fault => fault;

    public string Seen => _seen.Count == 0 ? "as expected" : string.Join("; ", _seen);

    /// <summary>The longest recovery; absent: there was nothing to recover from.</summary>
    public TimeSpan? Recovery => _recoveries.Count == 0 ? null : _recoveries.Max();

    /// <summary>Notes what is worth telling in the report.</summary>
    public void See(string what) => _seen.Add(what);

    /// <summary>Awaits the recovery and takes its time.</summary>
    /// <param name="what">For the failure: what comes back.</param>
    /// <param name="limit">The longest that it may take.</param>
    /// <param name="recovered">Ends when it has recovered.</param>
    public async Task RecoverAsync(string what, TimeSpan limit, Func<Task> recovered)
    {
        var began = TimeProvider.System.GetTimestamp();
        await recovered();
        var took = TimeProvider.System.GetElapsedTime(began);
        _recoveries.Add(took);
        Assert.True(took <= limit, $"{what} after {Seconds(took)}, not within {Seconds(limit)}");
    }

    public static string Seconds(TimeSpan time) => $"{time.TotalSeconds.ToString(time < TimeSpan.FromSeconds(10) ? "0.0#" : "0", CultureInfo.InvariantCulture)} s";
}
