using System.Collections.Immutable;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>
/// Goes breadth first through everything that can happen, holding each state and each move against the promises, until a promise is broken or nothing is new.
/// Then from every state the run without further faults is followed to its end.
/// </summary>
/// <param name="rows">The plan.</param>
/// <param name="limit">States at which to stop.</param>
/// <param name="isOver">Asked after each level: whether to stop for the time.</param>
internal sealed class Explorer(ImmutableArray<Row> rows, int limit, Func<bool> isOver)
{
    private readonly Dictionary<UInt128, int> _indexes = [];
    private readonly List<Node> _nodes = [];
    private ImmutableArray<ModelState> _roots = [];

    /// <summary>Explores from some states.</summary>
    public Exploration Explore(ImmutableArray<ModelState> roots)
    {
        _roots = roots;
        var level = new List<(int Index, ModelState State)>();
        for (var i = 0; i < roots.Length; i++)
            Add(level, new Found(StateKey.Of(roots[i]), roots[i], -1, i));
        var depth = 0;
        while (level.Count > 0 && _nodes.Count < limit && !isOver())
        {
            depth++;
            var next = new List<(int Index, ModelState State)>();
            foreach (var part in Expand(level))
            {
                foreach (var (index, fair) in part.Fair)
                    _nodes[index] = _nodes[index] with { Fair = fair };
                if (part.Broken is { } broken)
                    return Result(depth, level.Count, broken.Promise, [.. PathTo(broken.Index), broken.Move]);
                foreach (var found in part.Found)
                    Add(next, found);
            }

            level = next;
        }

        return Settle(depth, level);
    }

    private void Add(List<(int Index, ModelState State)> level, Found found)
    {
        if (!_indexes.TryAdd(found.Key, _nodes.Count))
            return;
        level.Add((_nodes.Count, found.State));
        _nodes.Add(new Node(found.Parent, found.Move, default));
    }

    private ParallelQuery<Part> Expand(List<(int Index, ModelState State)> level) => level.Chunk(512)
        .AsParallel().AsOrdered().WithDegreeOfParallelism(Environment.ProcessorCount)
        .Select(ExpandPart);

    private Part ExpandPart((int Index, ModelState State)[] states)
    {
        var part = new Part();
        foreach (var (index, state) in states)
        {
            Expand(part, index, state);
            if (part.Broken is not null)
                break;
        }

        return part;
    }

    private void Expand(Part part, int index, ModelState state)
    {
        var round = Round.Of(state, rows);
        var moves = Moves.Of(state, round);
        if (round.IsQuiet && Safety.BrokenByWaiting(state) is { } late)
            part.Broken = (late, index, -1);
        UInt128 fair = default;
        for (var i = 0; i < moves.Count && part.Broken is null; i++)
        {
            if (Safety.Broken(state, moves[i]) is { } broken)
                part.Broken = (broken, index, i);
            var key = StateKey.Of(moves[i].After);
            if (fair == default && moves[i].IsFair)
                fair = key;
            if (!_indexes.ContainsKey(key))
                part.Found.Add(new Found(key, moves[i].After, index, i));
        }

        if (fair == default && part.Broken is null && Settlement.Missing(state) is { } missing)
            part.Broken = ($"In the end all is as it should be, but {missing}.", index, -1);
        part.Fair.Add((index, fair));
    }

    // Fair moves lead from state to state without a choice, so it is enough to know where each chain ends.
    private Exploration Settle(int depth, List<(int Index, ModelState State)> rest)
    {
        var ends = new bool[_nodes.Count];
        var open = Outside(rest);
        var chain = new List<int>();
        var longest = 0;
        for (var start = 0; start < _nodes.Count; start++)
        {
            chain.Clear();
            var current = start;
            while (!ends[current])
            {
                ends[current] = true;
                chain.Add(current);
                if (open.TryGetValue(current, out var missing))
                {
                    if (missing is not null)
                        return Result(depth, rest.Count, missing, PathTo(start));
                    break;
                }

                if (_nodes[current].Fair == default)
                    break;
                current = _indexes[_nodes[current].Fair];
                if (chain.Contains(current))
                    return Result(depth, rest.Count, "In the end all is as it should be, but this goes on forever.", PathTo(start));
            }

            longest = Math.Max(longest, chain.Count);
        }

        return Result(depth, rest.Count, null, []);
    }

    private Dictionary<int, string?> Outside(List<(int Index, ModelState State)> rest) => rest
        .AsParallel().WithDegreeOfParallelism(Environment.ProcessorCount)
        .Select(unexplored => (unexplored.Index, Missing: FollowOutside(unexplored.State)))
        .ToDictionary(end => end.Index, end => end.Missing);

    // The end of the exploration was not the end of what can happen: the run goes on where nobody has been.
    private string? FollowOutside(ModelState state)
    {
        for (var i = 0; i < 500; i++)
        {
            var round = Round.Of(state, rows);
            if (Moves.Of(state, round).FirstOrDefault(m => m.IsFair) is not { } fair)
                return Settlement.Missing(state) is { } missing ? $"In the end all is as it should be, but {missing}." : null;
            if (Safety.Broken(state, fair) is { } broken)
                return broken;
            state = fair.After;
            if (_indexes.TryGetValue(StateKey.Of(state), out var known) && _nodes[known].Fair != default)
                return null;
        }

        return "In the end all is as it should be, but this goes on forever.";
    }

    private ImmutableArray<int> PathTo(int index)
    {
        var path = new List<int>();
        for (var i = index; i >= 0; i = _nodes[i].Parent)
            path.Add(_nodes[i].Move);
        path.Reverse();
        return [.. path];
    }

    private Exploration Result(int depth, int rest, string? broken, ImmutableArray<int> path) =>
        new(_nodes.Count, depth, rest == 0 || broken is not null ? 0 : rest, broken, broken is null ? "" : Story.Tell(_roots, path, broken, rows));

    /// <summary>A state that was reached.</summary>
    /// <param name="Parent">From where; -1 for a root.</param>
    /// <param name="Move">By which of the parent's moves; the number of a root.</param>
    /// <param name="Fair">Key of the state that a run without further faults comes to next; none: nothing happens any more.</param>
    private readonly record struct Node(int Parent, int Move, UInt128 Fair);

    private readonly record struct Found(UInt128 Key, ModelState State, int Parent, int Move);

    private sealed class Part
    {
        public List<Found> Found { get; } = [];

        public List<(int Index, UInt128 Fair)> Fair { get; } = [];

        public (string Promise, int Index, int Move)? Broken { get; set; }
    }
}

/// <summary>What an exploration found.</summary>
/// <param name="States">How many states were reached.</param>
/// <param name="Depth">Moves to the farthest.</param>
/// <param name="Unexplored">States that were reached and not gone on from; none: everything that can happen was seen.</param>
/// <param name="Broken">The promise that was broken; absent: all hold.</param>
/// <param name="Story">The shortest way to it.</param>
internal sealed record Exploration(int States, int Depth, int Unexplored, string? Broken, string Story);
