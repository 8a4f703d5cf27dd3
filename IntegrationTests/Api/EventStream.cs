using System.Text.Json;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>An event as a client gets it.</summary>
internal sealed record ReceivedEvent(string? Id, string Name, string Data)
{
    public JsonElement Json => JsonElement.Parse(Data);
}

/// <summary>Reads server-sent events, as a browser does.</summary>
internal sealed class EventStream(HttpResponseMessage answer, StreamReader reader) : IDisposable
{
    public HttpResponseMessage Answer { get; } = answer;

    /// <summary>Comments that came between the events.</summary>
    public List<string> Comments { get; } = [];

    public static async Task<EventStream> OpenAsync(HttpClient client, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/events");
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return new EventStream(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event.</summary>
    public async Task<ReceivedEvent> NextAsync()
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            var line = await LineAsync();
            if (line.StartsWith(':'))
            {
                Comments.Add(line);
            }
            else if (line.Length > 0)
            {
                fields[line[..line.IndexOf(": ", StringComparison.Ordinal)]] = line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..];
            }
            else if (fields.TryGetValue("data", out var data))
            {
                return new ReceivedEvent(fields.GetValueOrDefault("id"), fields["event"], data);
            }
        }
    }

    /// <summary>The next events up to the next status, and that.</summary>
    public async Task<IReadOnlyList<ReceivedEvent>> UntilStatusAsync()
    {
        var events = new List<ReceivedEvent>();
        do
        {
            events.Add(await NextAsync());
        }
        while (events[^1].Name != "status");
        return events;
    }

    /// <summary>The next line, a comment included.</summary>
    public async Task<string> LineAsync() => await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System) ?? throw new EndOfStreamException("The events have ended.");

    public void Dispose()
    {
        reader.Dispose();
        Answer.Dispose();
    }
}
