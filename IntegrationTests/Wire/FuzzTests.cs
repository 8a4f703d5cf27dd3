using System.Collections.Concurrent;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Spoilt requests: whatever the Proxy makes of them, the application gets strict HTTP, and only what the bytes mean by the letter.</summary>
public class FuzzTests
{
    private const int Lanes = 4;
    private const string Last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

    [Fact]
    public async Task Spoilt_requests_are_refused_or_arrive_as_what_they_mean()
    {
        var disagreements = new ConcurrentQueue<string>();
        var seeds = new ConcurrentQueue<int>(Enumerable.Range(WireRun.Seed, WireRun.Mutations));

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => RunAsync(seeds, disagreements)));

        Assert.True(disagreements.IsEmpty, $"{disagreements.Count} disagreements, the first ones:\n" + string.Join("\n\n", disagreements.Take(5)));
    }

    private static async Task RunAsync(ConcurrentQueue<int> seeds, ConcurrentQueue<string> disagreements)
    {
        await using var lane = await Lane.StartAsync();
        var trial = new FuzzTrial(lane);
        while (seeds.TryDequeue(out var seed))
        {
            var sent = new Mutator(new Random(seed)).Next() + Last;
            if (await trial.DisagreementAsync(sent) is { } disagreement)
            {
                disagreements.Enqueue($"Seed {seed} (WUNDERPROXY_WIRE_SEED={seed} WUNDERPROXY_WIRE_MUTATIONS=1): {disagreement}\n{Printable(sent)}");
            }
        }
    }

    private static string Printable(string text)
    {
        var printable = new StringBuilder();
        foreach (var c in text)
        {
            printable.Append(c switch
            {
                '\r' => "\\r",
                '\n' => "\\n\n",
                < ' ' or > '~' => $"\\x{(int)c:X2}",
                _ => c.ToString(),
            });
        }

        return printable.ToString();
    }
}
