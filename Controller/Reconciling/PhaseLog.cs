using System.Collections.Immutable;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>Notes when the release of each deployment entered which phase. It is memory only: phases follow from facts.</summary>
internal sealed partial class PhaseLog(ILogger logger)
{
    private readonly Dictionary<string, ImmutableList<PhaseEntry>> _entries = new(StringComparer.Ordinal);

    public IReadOnlyList<PhaseEntry> Of(string deploymentId) => _entries.GetValueOrDefault(deploymentId, []);

    /// <summary>Notes the phases as they are.</summary>
    public void Note(Situation s)
    {
        foreach (var deployment in s.Journal.Deployments)
        {
            var phase = ReleasePhases.PhaseOf(s, deployment.Hash);
            var entries = _entries.GetValueOrDefault(deployment.Id, []);
            var isOver = deployment.End is not null && entries is [.., var last] && last.At >= deployment.EndedAt;

            // Between two effects the containers are a moment behind, and it looks as if nothing had been done yet.
            var isBehind = phase == ReleasePhase.Accepted && !entries.IsEmpty;
            if (isOver || isBehind || (entries is [.., var latest] && latest.Phase == phase) || (entries.IsEmpty && deployment.End is not null))
                continue;
            _entries[deployment.Id] = entries.Add(new PhaseEntry(phase, s.Now));
            LogEntered(deployment.Hash, phase);
        }

        foreach (var id in _entries.Keys.Where(id => s.Journal.Deployments.All(d => d.Id != id)).ToList())
            _entries.Remove(id);
    }

    [LoggerMessage(330, LogLevel.Information, "Release {Hash} entered {Phase}")]
    private partial void LogEntered(string hash, ReleasePhase phase);
}
