using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>Which answers the Proxy compresses for clients that take it: with Brotli, or else gzip.</summary>
/// <remarks>
/// Not unless it is asked for: it takes CPU, many applications do it themselves, and a page that holds a secret beside what its visitor has sent tells something of the secret by its
/// compressed length, over TLS too. Never compressed: what is compressed already, parts of answers (206), events, what says <c>no-transform</c>, and what has a digest or announces trailers.
/// </remarks>
public sealed record Compression
{
    /// <summary>Most types.</summary>
    public const int MaxTypes = 64;

    /// <summary>Media types that are compressed, such as <c>text/html</c>, or <c>text/*</c> for all that begin so. Case doesn't matter.</summary>
    public IReadOnlyList<string> Types { get; set; } =
    [
        "text/html", "text/css", "text/plain", "text/javascript", "text/xml", "application/javascript", "application/json", "application/ld+json", "application/manifest+json",
        "application/xml", "application/xhtml+xml", "application/rss+xml", "application/atom+xml", "application/wasm", "image/svg+xml",
    ];

    /// <summary>Bytes of the smallest answer that is compressed, where the application says how long it is; up to 1 TiB.</summary>
    [JsonConverter(typeof(ByteSizeJsonConverter))]
    public long MinSize { get; set; } = 1 << 10;

    /// <summary>Whether both say the same.</summary>
    public bool Equals(Compression? other) => other is not null && MinSize == other.MinSize && Types.SequenceEqual(other.Types, StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MinSize, Types.Count);
}
