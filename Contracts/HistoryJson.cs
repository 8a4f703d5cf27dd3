using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts;

/// <summary>JSON of the history, source generated. Unlike that of the other contracts it is tolerant: a history of another program must not stop a deployment.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.General, PropertyNameCaseInsensitive = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip, MaxDepth = 32)]
[JsonSerializable(typeof(IReadOnlyList<HistoryEntry>))]
internal sealed partial class HistoryJson : JsonSerializerContext;
