using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>One deployment, in parts of milliseconds, from the moment in which this object is made.</summary>
internal sealed class Times
{
    private readonly Dictionary<string, double> _parts = [];
    private readonly DateTimeOffset _begunAt = TimeProvider.System.GetUtcNow();
    private readonly long _begun = TimeProvider.System.GetTimestamp();
    private long _last = TimeProvider.System.GetTimestamp();

    public double this[string part] => _parts[part];

    public bool Has(string part) => _parts.ContainsKey(part);

    /// <summary>A part ends now.</summary>
    public void Note(string part)
    {
        var now = TimeProvider.System.GetTimestamp();
        _parts[part] = TimeProvider.System.GetElapsedTime(_last, now).TotalMilliseconds;
        _last = now;
    }

    /// <summary>The last part, and all of it, ended at a timestamp.</summary>
    public void End(string part, long timestamp)
    {
        _parts[part] = TimeProvider.System.GetElapsedTime(_last, timestamp).TotalMilliseconds;
        _parts["total"] = TimeProvider.System.GetElapsedTime(_begun, timestamp).TotalMilliseconds;
    }

    /// <summary>Divides the total into parts by the phases that the Controller reports, oldest deployment first.</summary>
    public void Divide(IEnumerable<DeploymentStatus> deployments)
    {
        _parts.Remove("switch");
        var entries = deployments.SelectMany(d => d.Phases).OrderBy(p => p.At).ToList();
        var answered = _begunAt + TimeSpan.FromMilliseconds(_parts["total"]);
        Add("notice", entries.Count == 0 ? answered - _begunAt : entries[0].At - _begunAt);
        for (var i = 0; i < entries.Count && entries[i].At < answered; i++)
        {
            var end = i + 1 < entries.Count && entries[i + 1].At < answered ? entries[i + 1].At : answered;
            Add(PartOf(entries[i].Phase), end - entries[i].At);
        }
    }

    private void Add(string part, TimeSpan duration) => _parts[part] = _parts.GetValueOrDefault(part) + duration.TotalMilliseconds;

    private static string PartOf(ReleasePhase phase) => phase switch
    {
        ReleasePhase.Accepted => "notice",
        ReleasePhase.Pulling => "pull",
        ReleasePhase.Creating => "create",
        ReleasePhase.Starting => "start",
        ReleasePhase.Verifying => "healthy",
        _ => "switch",
    };
}
