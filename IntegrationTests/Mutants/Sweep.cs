using System.Collections.Concurrent;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>Tries all mutants, stage by stage, on as many processors as there are.</summary>
/// <param name="source">The Controller.</param>
/// <param name="findings">What is known already; what is found goes there.</param>
/// <param name="tests">Folder of the tests as they were built.</param>
/// <param name="work">Folder for the copies.</param>
internal sealed class Sweep(ControllerSource source, Findings findings, string tests, string work)
{
    private readonly ConcurrentBag<TestCopy> _copies = [.. Enumerable.Range(1, Environment.ProcessorCount).Select(i => new TestCopy(tests, Path.Combine(work, $"copy{i}")))];

    /// <summary>Tries them until all have been, or the time is over.</summary>
    public async Task RunAsync(IReadOnlyList<Mutant> mutants, TimeSpan limit)
    {
        var began = TimeProvider.System.GetTimestamp();
        for (var stage = 0; stage < Stage.All.Count; stage++)
        {
            var open = mutants.Where(m => findings.Of(m) is { CaughtIn: null, Passed: var passed } && passed == stage).ToList();
            if (open.Count == 0)
                continue;
            await Console.Error.WriteLineAsync($"{Stage.All[stage].Name}: {open.Count} mutants");
            await RequireSoundAsync(Stage.All[stage]);
            await Parallel.ForEachAsync(open, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (mutant, _) =>
            {
                if (TimeProvider.System.GetElapsedTime(began) < limit)
                    await TryAsync(mutant, stage);
            });
            if (TimeProvider.System.GetElapsedTime(began) >= limit)
                return;
        }
    }

    // Tests that fail without a mutant would catch everything.
    private async Task RequireSoundAsync(Stage stage)
    {
        if (await CatchAsync(null, stage) is var (_, by))
            throw new InvalidOperationException($"The stage {stage.Name} fails without a mutant: {by}");
    }

    private async Task TryAsync(Mutant mutant, int stage)
    {
        var caught = await CatchAsync(mutant, Stage.All[stage]);
        findings.Add(caught is var (stageName, by) ? new Finding(mutant.Key, stage, stageName, by) : new Finding(mutant.Key, stage + 1, null, null));
        await Console.Error.WriteLineAsync($"{(caught is null ? "survives" : $"caught by {caught.Value.By}")} | {mutant.Key}");
    }

    private async Task<(string In, string By)?> CatchAsync(Mutant? mutant, Stage stage)
    {
        _copies.TryTake(out var copy);
        try
        {
            return await copy!.CatchAsync(source, mutant, stage);
        }
        finally
        {
            _copies.Add(copy!);
        }
    }
}
