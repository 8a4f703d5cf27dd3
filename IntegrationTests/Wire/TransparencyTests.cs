using System.Collections.Concurrent;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What is correct passes unchanged, in both directions.</summary>
public class TransparencyTests
{
    private const int Lanes = 4;
    private const int MostAtOnce = 4;

    [Fact]
    public Task Random_requests_and_answers_arrive_to_the_byte() => RunAsync(Lane.StartAsync, WireRun.Requests);

    [Fact]
    public Task Random_requests_and_answers_arrive_to_the_byte_over_tls() => RunAsync(Lane.StartTlsAsync, WireRun.Requests / 2);

    private static async Task RunAsync(Func<Task<Lane>> startAsync, int requests)
    {
        var differences = new Differences();
        var seeds = new ConcurrentQueue<int>(Enumerable.Range(WireRun.Seed, requests));

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => RunLaneAsync(startAsync, seeds, differences)));

        differences.RequireNone();
    }

    private static async Task RunLaneAsync(Func<Task<Lane>> startAsync, ConcurrentQueue<int> seeds, Differences differences)
    {
        await using var lane = await startAsync();
        lane.Application.Note = static (_, _) => "";
        lane.Application.Answer = (request, _) =>
        {
            var exchange = new RandomExchange(Differences.SeedIn(request));
            differences.Compare($"request {Differences.SeedIn(request)}", exchange.Request.Reading, RandomExchange.Reading(request));
            return new ApplicationAnswer(exchange.Answer.Bytes, exchange.Then);
        };
        while (!seeds.IsEmpty && differences.IsEmpty)
        {
            await UseConnectionAsync(lane, seeds, differences);
        }
    }

    // Some requests at a time, each with its answer read, until one of them closes the connection.
    private static async Task UseConnectionAsync(Lane lane, ConcurrentQueue<int> seeds, Differences differences)
    {
        using var client = await lane.ConnectAsync();
        var isOver = false;
        while (!isOver && Take(seeds) is { Count: > 0 } batch)
        {
            isOver = batch[^1].Exchange.IsLast;
            await client.SendAsync(string.Concat(batch.Select(one => one.Exchange.Request.Bytes)));
            await ReadAnswersAsync(client, batch, differences);
        }
    }

    private static async Task ReadAnswersAsync(WireConnection client, List<(int Seed, RandomExchange Exchange)> batch, Differences differences)
    {
        foreach (var (seed, exchange) in batch)
        {
            try
            {
                var seen = await WireClient.ReadAsync(client, [exchange.Method], count: 1);
                var answer = seen.Answers.Count == 0 ? "nothing" : RandomExchange.Reading(seen.Answers[^1]);
                var interims = RandomExchange.InterimsIn(seen.Answers.Where(one => one.Status != 100));
                differences.Compare($"answer {seed}", exchange.Interims + exchange.Answer.Reading, interims + answer);
            }
            catch (Exception e) when (e is NotStrictException or TimeoutException)
            {
                differences.Add($"answer {seed}: {e.Message}");
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
}
