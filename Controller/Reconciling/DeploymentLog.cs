using System.Collections.Immutable;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>
/// Notes of each deployment what people want to know and nothing is decided by: the release's name, and when it entered which phase. The notes go to the disk whenever the journal does, so
/// they survive a restart and cost no write of their own.
/// </summary>
internal sealed partial class DeploymentLog(ILogger logger)
{
    private readonly Dictionary<string, Notes> _notes = new(StringComparer.Ordinal);

    public IReadOnlyList<PhaseEntry> PhasesOf(Deployment deployment) => NotesOf(deployment).Phases;

    /// <summary>Notes what is so.</summary>
    public void Note(Situation s)
    {
        foreach (var deployment in s.Journal.Deployments)
        {
            var notes = NotesOf(deployment);
            var phase = ReleasePhases.PhaseOf(s, deployment.Hash);
            if (IsEntered(phase, deployment, notes.Phases))
            {
                notes = notes with { Phases = notes.Phases.Add(new PhaseEntry(phase, s.Now)) };
                LogEntered(deployment.Hash, phase);
            }

            _notes[deployment.Id] = notes with { Revision = s.ConfigurationOf(deployment.Hash)?.Revision ?? notes.Revision };
        }

        foreach (var id in _notes.Keys.Where(id => s.Journal.Deployments.All(d => d.Id != id)).ToList())
            _notes.Remove(id);
    }

    /// <summary>The deployments of a journal, with the notes.</summary>
    public ValueList<Deployment> Annotate(ValueList<Deployment> deployments) =>
        [.. deployments.Select(deployment => Annotated(deployment, NotesOf(deployment)))];

    private static Deployment Annotated(Deployment deployment, Notes notes) => deployment with { Revision = notes.Revision, Phases = [.. notes.Phases] };

    private static bool IsEntered(ReleasePhase phase, Deployment deployment, ImmutableList<PhaseEntry> entries)
    {
        var isOver = deployment.End is not null && (entries.IsEmpty || entries[^1].At >= deployment.EndedAt);

        // Between two effects the containers are a moment behind, and it looks as if nothing had been done yet.
        var isBehind = phase == ReleasePhase.Accepted && !entries.IsEmpty;
        return !isOver && !isBehind && (entries.IsEmpty || entries[^1].Phase != phase);
    }

    private Notes NotesOf(Deployment deployment) => _notes.GetValueOrDefault(deployment.Id) ?? new Notes(deployment.Revision, [.. deployment.Phases]);

    [LoggerMessage(330, LogLevel.Information, "Release {Hash} entered {Phase}")]
    private partial void LogEntered(string hash, ReleasePhase phase);

    private sealed record Notes(string? Revision, ImmutableList<PhaseEntry> Phases);
}
