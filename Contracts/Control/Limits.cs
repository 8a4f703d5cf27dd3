using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>How much of a request the Proxy passes on to an application and how much of its answer to the client, and how long it waits for the application.</summary>
public sealed record Limits
{
    /// <summary>Shortest <see cref="AnswerTimeout"/> and <see cref="IdleTimeout"/>: 1 s.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>Longest <see cref="AnswerTimeout"/> and <see cref="IdleTimeout"/>: 24 h.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>Longest <see cref="QueueTimeout"/>: 5 min.</summary>
    public static readonly TimeSpan LongestQueue = TimeSpan.FromMinutes(5);

    /// <summary>Largest <see cref="MaxRequestsInFlight"/>.</summary>
    public const int MostInFlight = 100_000;

    /// <summary>Largest <see cref="MaxQueued"/>.</summary>
    public const int MostQueued = 10_000;

    /// <summary>
    /// Bytes of a request's body, up to 1 TiB. A longer one gets 413: at once where it says its length, else as soon as it is longer; where it wasn't collected before
    /// (<see cref="Buffering"/>) the application's connection is broken off then. Absent: no limit, for what is kept of a body is bounded anyhow, and what the rest costs is the application's to judge.
    /// </summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long? MaxRequestBody { get; set; }

    /// <summary>
    /// Bytes of an answer's body as the application sends it, up to 1 TiB. In the place of a longer one the client gets 502 where the answer says its length, else it is broken off as soon as it is longer.
    /// Events, calls of gRPC and upgraded connections have no end that could be too far. Absent: no limit, as for <see cref="MaxRequestBody"/>.
    /// </summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long? MaxAnswerBody { get; set; }

    /// <summary>
    /// From the end of the request until the head of its answer, which is 504 then; 1 s to 24 h. Requests that say that they wait long
    /// (<c>Accept: text/event-stream</c>, <c>Prefer: wait=…</c>) have <see cref="IdleTimeout"/> instead.
    /// </summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long no byte of a body, of an answer or of a WebSocket may move between the Proxy and the application before it is broken off; 1 s to 24 h.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Requests that the application gets at once, 1 to 100,000; the others wait, first come, first served. A WebSocket, server-sent events and every other upgraded connection
    /// count until they have begun; requests for the path of the health check never do. Absent: no limit. A release that drains has its requests beside those of the active one.
    /// </summary>
    public int? MaxRequestsInFlight { get; set; }

    /// <summary>Requests that may wait so, 0 to 10,000, and with 8 MiB of heads together; beyond that the answer is 503 with <c>Retry-After</c>.</summary>
    public int MaxQueued { get; set; } = 1000;

    /// <summary>How long a request may wait so, up to 5 min; 503 with <c>Retry-After</c> then.</summary>
    [JsonConverter(typeof(DurationJsonConverter))]
    public TimeSpan QueueTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
