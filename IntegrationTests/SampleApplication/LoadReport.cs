using System.Text.Json;
using System.Text.Json.Nodes;

namespace Wunderproxy.SampleApplication;

/// <summary>What a load saw: requests, failures, and which version answered how often.</summary>
internal sealed class LoadReport
{
    private const int MaximumReasons = 8;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _versions = [];
    private readonly Dictionary<string, long> _reasons = [];
    private long _requests;
    private TimeSpan _slowest;

    public double Seconds { get; set; }

    public long Failed { get; private set; }

    public void Succeed(string version, TimeSpan took)
    {
        lock (_gate)
        {
            _requests++;
            _versions[version] = _versions.GetValueOrDefault(version) + 1;
            if (took > _slowest)
                _slowest = took;
        }
    }

    public void Fail(string reason)
    {
        lock (_gate)
        {
            _requests++;
            Failed++;
            if (_reasons.ContainsKey(reason) || _reasons.Count < MaximumReasons)
                _reasons[reason] = _reasons.GetValueOrDefault(reason) + 1;
        }
    }

    /// <summary>One line of JSON; versions in the order in which they first answered.</summary>
    public string ToJson()
    {
        lock (_gate)
        {
            return new JsonObject
            {
                ["Requests"] = _requests,
                [nameof(Failed)] = Failed,
                [nameof(Seconds)] = Seconds,
                ["SlowestMs"] = Math.Round(_slowest.TotalMilliseconds, 1),
                ["Versions"] = JsonSerializer.SerializeToNode(_versions),
                ["Reasons"] = JsonSerializer.SerializeToNode(_reasons),
            }.ToJsonString();
        }
    }
}
