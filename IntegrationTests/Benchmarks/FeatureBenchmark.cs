using System.Runtime.CompilerServices;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What the Proxy's features cost requests that have no use for them: Proxies with more and more of them in front of the same backend, in turns.</summary>
internal static class FeatureBenchmark
{
    private const int DefaultRounds = 15;
    private const int DefaultSeconds = 2;

    /// <returns>A table for each of some kinds of traffic: with nothing configured, as it is for a release that says nothing of it, and with everything that these requests don't need; as soon as it is measured.</returns>
    public static async IAsyncEnumerable<string> RunAsync(LabHost lab, BenchmarkOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var echoes = new Echoes();
        await using var backend = await Contender.BackendAsync(lab, echoes.Port);
        await using var bare = await Contender.WunderproxyAsync(lab, "nothing", backend.Address, _ => { });
        await using var usual = await Contender.WunderproxyAsync(lab, backend.Address);
        await using var full = await Contender.WunderproxyAsync(
            lab, "everything", backend.Address, ConfigureAll, "--trusted-proxy", "10.0.0.0/8", "--forwarded", "--max-connections", "100000", "--max-connections-per-client", "10000");
        foreach (var load in ForwardingLoad.All(lab).Take(3))
            yield return await ForwardingBenchmark.CompareAsync("Unused features", load, [bare, usual, full], bare, options.Rounds ?? DefaultRounds, TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds), cancellationToken);
    }

    private static void ConfigureAll(ApplicationSnapshot snapshot)
    {
        snapshot.Routing = new Routing { Hosts = ["127.0.0.1", "*.example.org"] };
        snapshot.Buffering = new Buffering();
        snapshot.Compression = new Compression();
        snapshot.ErrorPages = new ErrorPages { Pages = new Dictionary<string, string> { ["404"] = "<p>Nothing is here" } };
        snapshot.Standby = new Standby
        {
            Target = snapshot.Target! with { Release = "next", ContainerId = "next" },
            Preview = new Preview { TokenHashes = [new string('0', 64)] },
        };
        snapshot.SlowAfter = TimeSpan.FromSeconds(1);
        snapshot.Limits = new Limits { MaxRequestBody = 1 << 30, MaxAnswerBody = 1 << 30, MaxRequestsInFlight = 10_000 };
    }
}
