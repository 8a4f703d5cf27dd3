namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>Runs seeds.</summary>
internal static class Simulation
{
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(5);

    private const int ToldLines = 120;

    /// <summary>Runs one seed.</summary>
    /// <returns>What happened; the failure is <see langword="null"/> where all promises held.</returns>
    public static SimulationResult Run(int seed, bool isDetailed = false)
    {
        var before = SynchronizationContext.Current;
        var host = new SimulatedHost(seed, isDetailed);
        try
        {
            SynchronizationContext.SetSynchronizationContext(null);
            new Scenario(host).Run(Quiet);
            return new SimulationResult(seed, host.Story, host.Visitors, host.Thread.Steps, null);
        }
        catch (Exception failure) when (failure is PromiseBrokenException or InvalidOperationException)
        {
            return new SimulationResult(seed, host.Story, host.Visitors, host.Thread.Steps, (failure.InnerException as PromiseBrokenException)?.Message ?? failure.ToString());
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>The failure of a seed with its story in detail, for people.</summary>
    public static string Describe(int seed)
    {
        var again = Run(seed, isDetailed: true);
        return $"Seed {seed}: {again.Failure ?? "no failure in a second run, so the simulation isn't deterministic"}\n{again.Story.Tail(ToldLines)}\n"
            + $"Seed {seed}: {again.Failure}\nAll of it: ./test.sh simulate --seed {seed}";
    }
}

/// <summary>What one seed came to.</summary>
internal sealed record SimulationResult(int Seed, Story Story, Visitors Visitors, long Steps, string? Failure);
