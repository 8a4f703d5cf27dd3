using System.Collections.Concurrent;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Clients that give streams up at any moment.</summary>
public class Http2AbortTests
{
    private const int Streams = 30;
    private const string Name = "x-number";

    [Fact]
    public async Task Streams_given_up_at_random_leave_nothing_behind_and_the_others_get_their_own_answers()
    {
        var wrong = new ConcurrentQueue<string>();
        var numbers = new ConcurrentQueue<int>(Enumerable.Range(WireRun.Seed, WireRun.Aborts));
        await using var lane = await Lane.StartAsync();
        lane.Application.Note = static (_, _) => "";
        lane.Application.Answer = static (request, _) => AnswerTo(request.Value(Name)!);
        using var client = new Http2Client(lane.Proxy.Address);

        await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => AskAsync(client, numbers, wrong)));

        Assert.True(wrong.IsEmpty, string.Join('\n', wrong.Take(3)));
        Assert.Equal(1, client.Connections);
        await lane.Proxy.UntilAsync(state => state.Targets[0].InFlight == 0);
        client.Dispose();
        await Eventually.HoldsAsync("no connection is counted", async _ => (await lane.Proxy.StatusAsync()).Connections.Values.All(count => count == 0));
    }

    // A tenth has a body so long that it doesn't come at once.
    private static ApplicationAnswer AnswerTo(string number) => new($"HTTP/1.1 200 OK\r\nContent-Length: {BodyOf(number).Length}\r\n\r\n{BodyOf(number)}");

    private static string BodyOf(string number) => number.EndsWith('7') ? string.Concat(Enumerable.Repeat(number, 50_000)) : number;

    private static async Task AskAsync(Http2Client client, ConcurrentQueue<int> numbers, ConcurrentQueue<string> wrong)
    {
        while (wrong.IsEmpty && numbers.TryDequeue(out var number))
        {
            var random = new Random(number);
            using var end = new CancellationTokenSource();
            try
            {
                await AskOnceAsync(client, random, $"{number}", end, wrong);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                // As it should be.
            }
            catch (HttpRequestException e)
            {
                wrong.Enqueue($"{number}: {e.GetBaseException().Message}");
            }
        }
    }

    private static async Task AskOnceAsync(Http2Client client, Random random, string number, CancellationTokenSource end, ConcurrentQueue<string> wrong)
    {
        using var request = new HttpRequestMessage(random.Next(2) == 0 ? HttpMethod.Get : HttpMethod.Post, "/") { Headers = { { Name, number } } };
        request.Content = request.Method == HttpMethod.Post ? new ByteArrayContent(new byte[random.Next(100_000)]) : null;
        var answering = client.SendAsync(request, end.Token);
        for (var turns = random.Next(2) == 0 ? random.Next(100) : int.MaxValue; !answering.IsCompleted && turns > 0; turns--)
        {
            await Task.Yield();
        }

        if (!answering.IsCompleted)
        {
            await end.CancelAsync();
        }

        using var answer = await answering;
        if (await answer.Content.ReadAsStringAsync() is var body && body != BodyOf(number))
        {
            wrong.Enqueue($"{number} got {body[..Math.Min(body.Length, 20)]}");
        }
    }
}
