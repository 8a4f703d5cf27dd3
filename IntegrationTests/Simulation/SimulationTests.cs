using System.Collections.Concurrent;
using System.Globalization;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The whole Controller against simulated surroundings, thousands of times.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 2000;
    private const int SeedsAtOnce = 200;
    private const int FreshSeeds = 10;

    [Fact]
    public void Promises_hold_under_every_seed() => RunSeeds(0, SeedCount);

    [Fact]
    public void Promises_hold_where_deployments_are_withdrawn_and_tried_again() => RunSeeds(-SeedCount / 2, SeedCount / 2);

    [Fact]
    public void Same_seed_is_the_same_run()
    {
        for (var seed = 0; seed < 10; seed++)
            Assert.Equal(Simulation.Run(seed).Story.Digest, Simulation.Run(seed, isDetailed: true).Story.Digest);
    }

    /// <summary>Run by <c>./test.sh simulate --seed N</c>.</summary>
    [Fact(Explicit = true)]
    public void Replay()
    {
        var seed = int.Parse(Environment.GetEnvironmentVariable("WUNDERPROXY_SIMULATION_SEED") ?? "0", CultureInfo.InvariantCulture);
        var result = Simulation.Run(seed, isDetailed: true);
        Console.WriteLine(result.Story.Tail(int.MaxValue));
        Console.WriteLine($"Seed {seed}: {result.Failure ?? "all promises held"}; digest {result.Story.Digest}, {result.Steps} steps, {result.Visitors.Served} requests served, {result.Visitors.Excused} failed by a fault");
        Assert.Null(result.Failure);
    }

    /// <summary>Run by <c>./test.sh simulate --minutes M</c>.</summary>
    [Fact(Explicit = true)]
    public void Search()
    {
        var minutes = double.Parse(Environment.GetEnvironmentVariable("WUNDERPROXY_SIMULATION_MINUTES") ?? "1", CultureInfo.InvariantCulture);
        var began = TimeProvider.System.GetTimestamp();
        var seed = FreshSeed();
        while (TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(minutes))
        {
            Console.WriteLine($"Seeds from {seed}");
            RunSeeds(seed, SeedsAtOnce);
            seed += SeedsAtOnce;
        }
    }

    [Fact]
    public void Promises_hold_under_fresh_seeds()
    {
        var first = FreshSeed();
        output.WriteLine($"Seeds from {first}");
        RunSeeds(first, FreshSeeds);
    }

    [Theory]
    [MemberData(nameof(RegressionSeeds.All), MemberType = typeof(RegressionSeeds))]
    public void Seed_that_once_found_a_fault_finds_none(int seed, string fault)
    {
        output.WriteLine(fault);
        RunSeeds(seed, 1);
    }

    private static int FreshSeed() => new Random().Next(1_000_000, int.MaxValue - 1_000_000);

    private static int SeedCount => int.Parse(Environment.GetEnvironmentVariable("WUNDERPROXY_SIMULATION_SEEDS") ?? Seeds.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private void RunSeeds(int first, int count)
    {
        var failed = new ConcurrentDictionary<int, string>();
        long served = 0;
        Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = 2 }, (seed, state) =>
        {
            var result = Simulation.Run(seed);
            Interlocked.Add(ref served, result.Visitors.Served);
            if (result.Failure is not null)
                failed[seed] = result.Failure;
        });
        output.WriteLine($"{count} seeds, {served} requests");
        if (failed.IsEmpty)
            return;
        var kinds = failed.OrderBy(f => f.Key).GroupBy(f => f.Value.Length > 60 ? f.Value[..60] : f.Value).Select(g => $"{g.Count(),5} {string.Join(",", g.Take(5).Select(f => f.Key))} {g.First().Value}");
        Assert.Fail($"{failed.Count} of {count} seeds failed:\n{string.Join('\n', kinds)}\n{Simulation.Describe(failed.Keys.Min())}");
    }
}
