using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What is correct passes unchanged between a client that speaks HTTP/2 and an application that speaks HTTP/1.1.</summary>
public class Http2TransparencyTests
{
    private const int Streams = 20;

    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    [Fact]
    public async Task Random_requests_and_answers_arrive_to_the_byte_over_http_2()
    {
        var differences = new Differences();
        var seeds = new ConcurrentQueue<int>(Enumerable.Range(WireRun.Seed, WireRun.Requests));
        await using var lane = await Lane.StartAsync();
        lane.Application.Note = static (_, _) => "";
        lane.Application.Answer = (request, _) => AnswerTo(request, differences);
        using var client = new Http2Client(lane.Proxy.Address);

        await Task.WhenAll(Enumerable.Range(0, Streams).Select(_ => AskAsync(client, seeds, differences)));

        differences.RequireNone();
        Assert.Equal(1, client.Connections);
    }

    private static ApplicationAnswer AnswerTo(StrictMessage request, Differences differences)
    {
        var exchange = new RandomExchange(Differences.SeedIn(request));
        differences.Compare($"request {Differences.SeedIn(request)}", RandomExchange.Reading(SentBy(exchange)), RandomExchange.Reading(request));
        return new ApplicationAnswer(exchange.Answer.Bytes, exchange.Then);
    }

    private static async Task AskAsync(Http2Client client, ConcurrentQueue<int> seeds, Differences differences)
    {
        while (differences.IsEmpty && seeds.TryDequeue(out var seed))
        {
            var exchange = new RandomExchange(seed);
            try
            {
                using var request = RequestOf(SentBy(exchange));
                using var answer = await client.SendAsync(request);
                differences.Compare($"answer {seed}", WithoutReason(exchange.Answer.Reading), RandomExchange.Reading(await ReadAsync(answer)));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                differences.Add($"answer {seed}: {e.GetBaseException().Message}");
            }
        }
    }

    // The standard client sends no trailers.
    private static StrictMessage SentBy(RandomExchange exchange) =>
        StrictReader.ReadClientsRequest(Encoding.Latin1.GetBytes(exchange.Request.Bytes))! with { Trailers = [] };

    private static HttpRequestMessage RequestOf(StrictMessage message)
    {
        var request = new HttpRequestMessage(new HttpMethod(message.Method), new Uri("http://proxy" + message.Target, AsItIs));
        if (message.Framing != Framing.None || message.Fields.Any(IsOfTheBody))
        {
            request.Content = message.Framing == Framing.Length ? new ByteArrayContent(Bytes(message)) : new StreamContent(new UnknownLength(Bytes(message)));
        }

        foreach (var field in message.Fields.Where(field => !field.Is("Content-Length") && !field.Is("Transfer-Encoding") && !field.Is("Connection")))
        {
            Assert.True(request.Headers.TryAddWithoutValidation(field.Name, field.Value) || request.Content!.Headers.TryAddWithoutValidation(field.Name, field.Value), field.Name);
        }

        return request;
    }

    private static bool IsOfTheBody(Field field) => field.Name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase);

    private static byte[] Bytes(StrictMessage message) => Encoding.Latin1.GetBytes(message.Body);

    private static async Task<StrictMessage> ReadAsync(HttpResponseMessage answer) => new()
    {
        Start = $"HTTP/1.1 {(int)answer.StatusCode}",
        Framing = Framing.None,
        Body = Encoding.Latin1.GetString(await answer.Content.ReadAsByteArrayAsync()),
        Fields = [.. FieldsOf(answer.Headers), .. FieldsOf(answer.Content.Headers)],
        Trailers = [.. FieldsOf(answer.TrailingHeaders)],
    };

    private static IEnumerable<Field> FieldsOf(HttpHeaders headers) =>
        headers.NonValidated.SelectMany(header => header.Value.Select(value => new Field(header.Key, value)));

    // HTTP/2 has none. Source: RFC 9113, section 8.3.2.
    private static string WithoutReason(string reading) => reading["HTTP/1.1 ".Length..][..3] is var status ? $"HTTP/1.1 {status}{reading[reading.IndexOf('\n', StringComparison.Ordinal)..]}" : "";

    private sealed class UnknownLength(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
