using System.Text.Json;

namespace Wunderproxy.Contracts;

/// <summary>What was deployed, oldest first: the document <c>{prefix}/history.json</c>.</summary>
/// <param name="Entries">At most <see cref="MaxEntries"/> are written.</param>
public sealed record History(IReadOnlyList<HistoryEntry> Entries)
{
    /// <summary>Deployments that are kept; the oldest go first.</summary>
    public const int MaxEntries = 100;

    /// <summary>Size of the largest document that is read: 1 MiB.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>A history without a deployment.</summary>
    public static History Empty { get; } = new([]);

    /// <summary>Key of the document in the store.</summary>
    public static string KeyFor(string prefix) => $"{prefix}/history.json";

    /// <summary>Reads the document. The Go tool's is read too: <c>null</c> is an empty history, and members that are missing or not known are no error.</summary>
    /// <exception cref="JsonException">It is no history; the document should be left as it is.</exception>
    public static History Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes)
        {
            throw new JsonException($"The history has {json.Length} bytes; at most {MaxBytes} are read.");
        }

        var entries = JsonSerializer.Deserialize(json, HistoryJson.Default.IReadOnlyListHistoryEntry) ?? [];
        return entries.Contains(null!) ? throw new JsonException("The history contains null where a deployment should be.") : new(entries);
    }

    /// <summary>The document as it is stored, with a final newline.</summary>
    public byte[] Write() => [.. JsonSerializer.SerializeToUtf8Bytes(Entries, HistoryJson.Default.IReadOnlyListHistoryEntry), (byte)'\n'];

    /// <summary>The history with one more deployment, without the oldest where it would become too long.</summary>
    public History Append(HistoryEntry entry) => new([.. Entries.Append(entry).TakeLast(MaxEntries)]);
}

/// <summary>One deployment.</summary>
/// <param name="Revision">Name of the release for people; absent in some documents of the Go tool.</param>
/// <param name="DeployedAt">When it was published.</param>
/// <param name="DeployedBy">Who published it, as they call themselves.</param>
/// <param name="Hash">Hash of its launch configuration. It comes from outside: check it with <see cref="ContentHash.IsValid"/> before use.</param>
public sealed record HistoryEntry(string? Revision, DateTimeOffset DeployedAt, string? DeployedBy, string? Hash);
