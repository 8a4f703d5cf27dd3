using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>What the Proxy keeps for an application's slow clients, so that the application doesn't have to wait for them.</summary>
/// <remarks>
/// Events (<c>text/event-stream</c>), gRPC, upgraded connections, answers with <c>X-Accel-Buffering: no</c> and answers over HTTP/1.1 that announce trailers go through as
/// they come, and so does what would be more than the Proxy may keep for all its requests together.
/// </remarks>
public sealed record Buffering
{
    /// <summary>Least <see cref="Memory"/>: 64 KiB.</summary>
    public const long LeastMemory = 64 << 10;

    /// <summary>Most <see cref="Memory"/>: 64 MiB.</summary>
    public const long MostMemory = 64 << 20;

    /// <summary>Whether a request's body is collected before the application gets anything of the request. Until then the request belongs to no release.</summary>
    public bool Requests { get; set; } = true;

    /// <summary>Whether the rest of an answer is taken from the application while the client is behind. What the client can take is never kept back.</summary>
    public bool Answers { get; set; } = true;

    /// <summary>Bytes of one body that are kept in memory, 64 KiB to 64 MiB; what goes beyond is kept in a temporary file.</summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long Memory { get; set; } = 1 << 20;

    /// <summary>
    /// Bytes of a request's body that are collected, up to 1 TiB. A body that says that it is longer goes through as it comes; one that turns out to be longer goes on as it comes behind what was
    /// collected.
    /// </summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long MaxRequest { get; set; } = 256 << 20;

    /// <summary>Bytes of an answer that the client may be behind, up to 1 TiB; then the application waits for the client.</summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long MaxAnswer { get; set; } = 256 << 20;
}
