using System.Globalization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Bodies that the kernel moves from socket to socket.</summary>
public sealed class MovedBodyTests
{
    private const int Largest = 3_000_000;

    private static readonly string Pattern = string.Create(Largest + 1000, 0, static (text, _) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = (char)('a' + ((i + (i / 1000)) % 23));
        }
    });

    [Fact]
    public async Task Answers_of_one_connection_arrive_to_the_byte_whatever_their_size()
    {
        await using var it = await BufferingProxy.StartAsync();
        it.Application.AnswerAll(static request => Answer(BodyOf(int.Parse(request.Split(' ')[1][1..], CultureInfo.InvariantCulture))));
        await using var client = await it.Proxy.ConnectAsync();
        foreach (var size in Sizes(Largest))
        {
            await client.SendAsync($"GET /{size} HTTP/1.1\r\nHost: a\r\n\r\n");

            await client.ReadHeadAsync();
            Assert.Equal(BodyOf(size), await client.ReadAsync(size));
        }
    }

    [Fact]
    public async Task Answer_to_a_client_that_pauses_arrives_to_the_byte()
    {
        await using var it = await BufferingProxy.StartAsync();
        it.Application.AnswerAll(Answer(BodyOf(Largest)));
        await using var client = await it.ConnectAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await it.UntilAsync(use => use.ReadAhead == 1);

        await client.ReadHeadAsync();
        Assert.Equal(BodyOf(Largest), await client.ReadAsync(Largest));
        await it.UntilEmptyAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Uploads_of_one_connection_arrive_to_the_byte_whatever_their_size(bool isCollected)
    {
        await using var it = await BufferingProxy.StartAsync(isCollected ? null : new Buffering { Requests = false });
        string? received = null;
        it.Application.AnswerAll(request =>
        {
            received = request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
            return Answer("ok");
        });
        await using var client = await it.Proxy.ConnectAsync();
        foreach (var size in Sizes(Largest))
        {
            var body = BodyOf(size);
            await client.SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{body}");

            Assert.EndsWith("\r\n\r\nok", await client.ReadMessageAsync(), StringComparison.Ordinal);
            Assert.Equal(body, received);
        }
    }

    [Fact]
    public async Task Upload_whose_client_pauses_within_it_arrives_to_the_byte_and_the_next_request_after_it()
    {
        const int size = 500_000;
        await using var it = await BufferingProxy.StartAsync();
        var received = new List<string>();
        it.Application.AnswerAll(request =>
        {
            received.Add(request);
            return Answer(request.Split(' ')[0]);
        });
        await using var client = await it.ConnectAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{BodyOf(size)[..(size / 2)]}");
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });

        await client.SendAsync($"{BodyOf(size)[(size / 2)..]}GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.EndsWith("POST", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.EndsWith("GET", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n" + BodyOf(size), received[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_sees_nothing_of_an_upload_before_all_of_it_has_come()
    {
        const int size = 500_000;
        await using var it = await BufferingProxy.StartAsync();
        await using var client = await it.ConnectAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n{BodyOf(size)[..^1]}");
        await it.UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });
        Assert.Equal(0, it.Application.Accepted);

        await client.SendAsync(BodyOf(size)[^1..]);

        await using var application = await it.Application.AcceptedAsync();
        Assert.EndsWith("\r\n\r\n" + BodyOf(size), await application.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_of_an_answer_or_upload_whose_client_leaves_reaches_anybody_else()
    {
        const int clients = 24;
        await using var it = await BufferingProxy.StartAsync();
        it.Application.AnswerAll(static request => Answer(Mine(request.Split(' ')[1][1..])));

        var asked = await Task.WhenAll(Enumerable.Range(0, clients).Select(async i =>
        {
            var answers = 0;
            for (var round = 0; round < 10; round++)
            {
                var name = $"{i}-{round}";
                await using var client = await it.Proxy.ConnectAsync();
                await client.SendAsync(i % 3 == 0 ? $"POST /{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {Largest / 10}\r\n\r\n{BodyOf(Largest / 10)}" : $"GET /{name} HTTP/1.1\r\nHost: a\r\n\r\n");
                if (i % 2 == 0)
                {
                    await client.ReadHeadAsync();
                    Assert.Equal(Mine(name), await client.ReadAsync(Mine(name).Length));
                    answers++;
                }
                else if (i % 4 == 1)
                {
                    await client.ReadHeadAsync();
                }
            }

            return answers;
        }));

        Assert.Equal(10 * clients / 2, asked.Sum());
    }

    private static string Mine(string name) => string.Concat(Enumerable.Repeat($"({name})", 40_000));

    private static string BodyOf(int size) => Pattern[(size % 1000)..][..size];

    private static string Answer(string body) => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    // Around what the pipe takes, what is worth being moved, and what is left to the kernel.
    private static IEnumerable<int> Sizes(int largest)
    {
        int[] edges = [1 << 14, 62 << 10, 64 << 10, 124 << 10, 1 << 20, largest - 300];
        return edges.SelectMany(static edge => new[] { edge - 4097, edge - 1, edge, edge + 1, edge + 250 });
    }
}
