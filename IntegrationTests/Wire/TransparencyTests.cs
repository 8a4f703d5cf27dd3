using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What is correct passes unchanged, in both directions.</summary>
public class TransparencyTests
{
    private const int Lanes = 4;
    private const int MostAtOnce = 4;

    [Fact]
    public async Task Random_requests_and_answers_arrive_to_the_byte()
    {
        var differences = new ConcurrentQueue<string>();
        var seeds = new ConcurrentQueue<int>(Enumerable.Range(WireRun.Seed, WireRun.Requests));

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => RunAsync(seeds, differences)));

        Assert.True(differences.IsEmpty, $"{differences.Count} differences, the first ones:\n" + string.Join("\n\n", differences.Take(3)));
    }

    private static async Task RunAsync(ConcurrentQueue<int> seeds, ConcurrentQueue<string> differences)
    {
        await using var lane = await Lane.StartAsync();
        lane.Application.Note = static (_, _) => "";
        lane.Application.Answer = (request, _) =>
        {
            var exchange = new RandomExchange(SeedIn(request));
            Compare($"request {SeedIn(request)}", exchange.Request.Reading, RandomExchange.Reading(request), differences);
            return new ApplicationAnswer(exchange.Answer.Bytes, exchange.Then);
        };
        while (!seeds.IsEmpty && differences.IsEmpty)
        {
            await UseConnectionAsync(lane, seeds, differences);
        }
    }

    // Some requests at a time, each with its answer read, until one of them closes the connection.
    private static async Task UseConnectionAsync(Lane lane, ConcurrentQueue<int> seeds, ConcurrentQueue<string> differences)
    {
        using var client = await WireConnection.ConnectAsync(lane.Proxy.Address);
        var isOver = false;
        while (!isOver && Take(seeds) is { Count: > 0 } batch)
        {
            isOver = batch[^1].Exchange.IsLast;
            await client.SendAsync(string.Concat(batch.Select(one => one.Exchange.Request.Bytes)));
            await ReadAnswersAsync(client, batch, differences);
        }
    }

    private static async Task ReadAnswersAsync(WireConnection client, List<(int Seed, RandomExchange Exchange)> batch, ConcurrentQueue<string> differences)
    {
        foreach (var (seed, exchange) in batch)
        {
            try
            {
                var seen = await WireClient.ReadAsync(client, [exchange.Method], count: 1);
                var answer = seen.Answers.Count == 0 ? "nothing" : RandomExchange.Reading(seen.Answers[^1]);
                var interims = RandomExchange.InterimsIn(seen.Answers.Where(one => one.Status != 100));
                Compare($"answer {seed}", exchange.Interims + exchange.Answer.Reading, interims + answer, differences);
            }
            catch (Exception e) when (e is NotStrictException or TimeoutException)
            {
                differences.Enqueue($"answer {seed}: {e.Message}");
            }
        }
    }

    private static List<(int Seed, RandomExchange Exchange)> Take(ConcurrentQueue<int> seeds)
    {
        var batch = new List<(int Seed, RandomExchange Exchange)>();
        while (batch.Count < MostAtOnce && (batch.Count == 0 || (batch[0].Seed % 3 == 0 && !batch[^1].Exchange.IsLast)) && seeds.TryDequeue(out var seed))
        {
            batch.Add((seed, new RandomExchange(seed)));
        }

        return batch;
    }

    private static int SeedIn(StrictMessage request) => int.Parse(request.Value("X-Seed")!, CultureInfo.InvariantCulture);

    private static void Compare(string what, string expected, string actual, ConcurrentQueue<string> differences)
    {
        if (expected != actual)
        {
            var at = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
            differences.Enqueue($"{what} (begin there again with WUNDERPROXY_WIRE_SEED) from byte {at} on: {Around(expected, at)}\n  came as: {Around(actual, at)}");
        }
    }

    private static string Around(string text, int at)
    {
        var slice = text[Math.Max(0, at - 60)..Math.Min(text.Length, at + 60)];
        return string.Concat(slice.Select(c => c is >= ' ' and <= '~' ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}")));
    }
}
