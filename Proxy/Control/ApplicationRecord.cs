using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Control;

/// <summary>What the Proxy keeps on disk about one application.</summary>
internal sealed record ApplicationRecord
{
    /// <summary>Name of the application.</summary>
    public required string Application { get; init; }

    /// <summary>Which Controller owns it.</summary>
    public required string Installation { get; init; }

    /// <summary>Newest fence seen.</summary>
    public required long Fence { get; init; }

    /// <summary>What is served; absent: only a fence was raised so far.</summary>
    public ApplicationSnapshot? Snapshot { get; init; }

    /// <summary>Reads a record.</summary>
    /// <exception cref="JsonException">The bytes are no record.</exception>
    public static ApplicationRecord Read(byte[] json) =>
        JsonSerializer.Deserialize(json, RecordJson.Compact.ApplicationRecord) ?? throw new JsonException("Expected an object.");

    /// <summary>Writes the record.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, RecordJson.Compact.ApplicationRecord);
}

/// <summary>JSON of the state files, source generated.</summary>
[JsonSerializable(typeof(ApplicationRecord))]
internal sealed partial class RecordJson : JsonSerializerContext
{
    /// <summary>Leaves a maintenance page as it is, instead of six characters for each of its angle brackets: the file is bounded, and no browser reads it.</summary>
    public static RecordJson Compact { get; } = new(new JsonSerializerOptions
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
    });
}
