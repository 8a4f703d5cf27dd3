using static Wunderproxy.IntegrationTests.Wire.Leaves;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Exchanges that are left in the middle. See <see cref="AbortRow"/> for what the columns mean.</summary>
internal static class AbortCorpus
{
    private const string Get = "GET /id HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Post = "POST /id HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    private const string HalfPost = "POST /id HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc";
    private const string HalfChunks = "POST /id HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    private const string WebSocket = "GET /id HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    private const string Half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
    private const string Chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
    private const string Event = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: 1\n\r\n";
    private const string Switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc";

    public static IReadOnlyList<AbortRow> All { get; } =
    [
        new("client resets within the head", "GET /id HTTP/1.1\r\nHost", "", ClientResets),
        new("client closes within the head", "GET /id HTTP/1.1\r\nHost", "", ClientCloses),
        new("client resets before the answer", Get, "", ClientResets),
        new("client closes before the answer", Get, "", ClientCloses),
        new("client resets behind its body", Post, "", ClientResets),
        new("client resets within its body", HalfPost, "", ClientResets),
        new("client closes within its body", HalfPost, "", ClientCloses),
        new("client resets within its chunks", HalfChunks, "", ClientResets),
        new("client closes within its chunks", HalfChunks, "", ClientCloses),
        new("client resets within the answer", Get, Half, ClientResets),
        new("client closes within the answer", Get, Half, ClientCloses),
        new("client resets within chunks of the answer", Get, Chunk, ClientResets),
        new("client resets within an event stream", Get, Event, ClientResets),
        new("client closes within an event stream", Get, Event, ClientCloses),
        new("client resets and has read little of much", Get, Flood, ClientResets),
        new("client resets a WebSocket", WebSocket, Switched, ClientResets),
        new("client closes a WebSocket", WebSocket, Switched, ClientCloses),
        new("client resets before it is a WebSocket", WebSocket, "", ClientResets),
        new("application resets before the answer", Post, "", ApplicationResets),
        new("application closes before the answer", Post, "", ApplicationCloses),
        new("application resets within the request's body", HalfPost, "", ApplicationResets),
        new("application closes within the request's chunks", HalfChunks, "", ApplicationCloses),
        new("application resets within its answer", Get, Half, ApplicationResets),
        new("application closes within its answer", Get, Half, ApplicationCloses),
        new("application resets within its chunks", Get, Chunk, ApplicationResets),
        new("application closes within its chunks", Get, Chunk, ApplicationCloses),
        new("application resets within an event stream", Get, Event, ApplicationResets),
        new("application resets a WebSocket", WebSocket, Switched, ApplicationResets),
        new("application closes a WebSocket", WebSocket, Switched, ApplicationCloses),
        new("application resets and has read little of much", $"POST /id HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n{new string('x', 200_000)}", "", ApplicationResets),
    ];

    private static string Flood => "HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" + new string('x', 200_000);
}
