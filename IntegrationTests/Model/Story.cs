using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>Tells how a state comes about, move by move, in words.</summary>
internal static class Story
{
    private const int LongestEpilogue = 40;

    /// <summary>Tells a path that ends in a broken promise, and what happens then where nothing goes wrong any more.</summary>
    /// <param name="roots">Where paths begin.</param>
    /// <param name="path">Number of the root, then of each move; -1 at the end: none, the state itself breaks the promise.</param>
    /// <param name="broken">The promise.</param>
    /// <param name="rows">The plan.</param>
    public static string Tell(ImmutableArray<ModelState> roots, ImmutableArray<int> path, string broken, ImmutableArray<Row> rows)
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"Broken: {broken}");
        var state = roots[path[0]];
        text.AppendLine(CultureInfo.InvariantCulture, $"     {Picture(state)}");
        var number = 0;
        foreach (var move in path.Skip(1).Where(m => m >= 0))
            state = Tell(text, ++number, Moves.Of(state, Round.Of(state, rows))[move]);
        if (!broken.StartsWith("In the end", StringComparison.Ordinal))
            return text.ToString();
        text.AppendLine("     From here on nothing goes wrong any more:");
        for (var i = 0; i < LongestEpilogue && Moves.Of(state, Round.Of(state, rows)).FirstOrDefault(m => m.IsFair) is { } fair; i++)
            state = Tell(text, ++number, fair);
        return text.ToString();
    }

    private static ModelState Tell(StringBuilder text, int number, Move move)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"{number,3}. {InWords(move)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"     {Picture(move.After)}");
        return move.After;
    }

    private static string InWords(Move move) => move.Kind switch
    {
        MoveKind.StrayArrives => $"What was on its way arrives: {InWords((Effect)move.About!)}",
        MoveKind.ProxyReturns => "The Proxy is back",
        MoveKind.EngineReturns => "The engine is back",
        MoveKind.Recovers => $"{InWords((ContainerRef)move.About!)} is healthy again",
        MoveKind.CallEnds => $"{Called(move.About)}",
        MoveKind.Probed => $"{InWords((ContainerRef)move.About!)} is probed",
        MoveKind.ControllerActs => $"The Controller: {InWords((Round)move.About!)}",
        MoveKind.TimePasses => $"{(TimeSpan)move.About!:d\\.hh\\:mm\\:ss\\.fff} pass",
        MoveKind.RequestsEnd => $"The last request on {InWords((ContainerRef)move.About!)} ends",
        MoveKind.CallGoesWrong => $"{Called(move.About)}",
        MoveKind.CallFails => $"{InWords((Effect)move.About!)} fails",
        MoveKind.CallGoesAstray => $"{InWords((Effect)move.About!)} gets no answer, and is still on its way",
        MoveKind.StartsWell => $"{InWords((ContainerRef)move.About!)} is started, and seems to be well",
        MoveKind.Exits => $"{InWords((ContainerRef)move.About!)} exits by itself",
        MoveKind.TurnsUnready => $"{InWords((ContainerRef)move.About!)} doesn't answer its health check any more",
        MoveKind.IsRemoved => $"Somebody removes {InWords((ContainerRef)move.About!)}",
        MoveKind.WriteFails => $"The disk is full when the Controller writes: {InWords((Round)move.About!)}",
        MoveKind.WriteFailsButIsThere => $"The write fails, though it reached the disk, when the Controller writes: {InWords((Round)move.About!)}",
        MoveKind.ControllerDies => "The Controller dies with its calls, and is started again",
        MoveKind.ControllerDiesAndItsCallsLiveOn => "The Controller dies while its calls are on their way, and is started again",
        MoveKind.ProxyRestarts => "The Proxy dies",
        MoveKind.ProxyForgets => "The Proxy dies and loses its disk",
        MoveKind.EngineRestarts => "The engine dies, and every container with it",
        MoveKind.EngineIsLost => "The engine isn't reached any more; the containers run on",
        MoveKind.PowerFails => "The power fails; the host starts again",
        MoveKind.CurrentNames => $"current.json names {Catalogue.NameOf((string)move.About!)}",
        MoveKind.Launched => $"Somebody launches {Catalogue.NameOf((string)move.About!)}",
        MoveKind.Switched => $"Somebody switches to {Catalogue.NameOf((string)move.About!)}",
        MoveKind.Reloaded => $"Somebody reloads {Catalogue.NameOf((string)move.About!)}",
        MoveKind.MaintenanceChanges => $"Somebody puts maintenance {((bool)move.About! ? "up" : "down")}",
        _ => throw new ArgumentOutOfRangeException(nameof(move), move.Kind, "Not a kind of move."),
    };

    private static string Called(object? about)
    {
        var (effect, end) = ((Effect, string))about!;
        return $"{InWords(effect)}: {end}";
    }

    private static string InWords(Round round) => string.Join("; ", round.Steps.Where(s => !s.IsWait).Select(s => s.Effect is { } effect ? $"{s.Row}, {InWords(effect)}" : s.Row));

    private static string InWords(Effect effect) => effect switch
    {
        Effect.Pull pull => $"pull of {Catalogue.NameOf(pull.Hash)}",
        Effect.Create create => $"create of {InWords(create.Container)}",
        Effect.Start start => $"start of {InWords(start.Container)}",
        Effect.Stop stop => $"stop of {InWords(stop.Container)} behind fence {stop.Fence}{(stop.MustBeIdle ? " if idle" : "")}",
        Effect.Remove remove => $"removal of {InWords(remove.Container)}",
        Effect.RemoveImage remove => $"removal of {remove.Reference}",
        Effect.Route route => $"snapshot {route.Snapshot.Generation} with fence {route.Snapshot.Fence} and target {(route.Snapshot.Target is { } t ? Catalogue.NameOf(t.Release) : "none")}",
        Effect.RaiseFence fence => $"fence {fence.Fence} against {InWords(fence.Container)}",
        _ => throw new ArgumentOutOfRangeException(nameof(effect), effect, "Not an effect."),
    };

    private static string InWords(ContainerRef container) => $"{Catalogue.NameOf(container.Hash)}{container.Incarnation}";

    private static string Picture(ModelState state)
    {
        var containers = string.Join(' ', state.Containers.Select(c => $"{InWords(c.Fact.Ref)}:{InWords(c)}"));
        var target = state.Proxy?.Target is { } t ? state.Find(t.ContainerId) is { } c ? InWords(c.Fact.Ref) : "one that is gone" : "nothing";
        var proxy = $"Proxy{(state.ProxyIsUp ? "" : " (down)")} → {target}, fence {state.Proxy?.Fence ?? 0}";
        return $"[{containers}] {proxy}{(state.EngineIsUp ? "" : ", engine away")}; {Picture(state.Journal)}";
    }

    private static string InWords(ModelContainer container) => container.Fact.State switch
    {
        ContainerState.Running => $"{(container.IsWell ? "well" : "ill")}/{container.Fact.Verdict.State.ToString().ToLowerInvariant()}{(container.CutAt is null ? "" : "/in use")}",
        ContainerState.Exited => container.Fact.ExitedByItself ? "exited by itself" : "stopped",
        _ => container.Fact.State.ToString().ToLowerInvariant(),
    };

    private static string Picture(Journal journal)
    {
        var parts = new List<string> { journal.Active is { } active ? $"active {InWords(active.Ref)}" : "none active", $"fence {journal.Fence}" };
        parts.AddRange(journal.Candidates.Select(c => $"{(c.Goal == CandidateGoal.Active ? "to be active" : "standby")} {InWords(c.Ref)}"));
        if (journal.Switch is { } intent)
            parts.Add($"switch to {InWords(intent.To)} by {intent.Fence}{(intent.AbortFence is { } abort ? $", given up by {abort}" : "")}");
        parts.AddRange(journal.Drains.Select(d => $"drains {InWords(d.Ref)}"));
        if (journal.Retained is { } retained)
            parts.Add($"retained {InWords(retained)}");
        parts.AddRange(journal.Quarantine.Select(r => $"rejected {Catalogue.NameOf(r.Hash)}"));
        if (journal.Decided is { } decision)
            parts.Add($"{(journal.Pin is null ? "desired" : "pinned to")} {Catalogue.NameOf(decision.Hash)}{(decision.GivenUp ? " (given up)" : "")}");
        return string.Join(", ", parts);
    }
}
