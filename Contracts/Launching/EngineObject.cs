using System.Text.Json;

namespace Wunderproxy.Contracts.Launching;

/// <summary>Reads the Docker Engine's own objects as the engine does: names without regard to case.</summary>
public static class EngineObject
{
    /// <summary>Compares names of members as the engine does.</summary>
    public static IEqualityComparer<string> Names { get; } = new NameComparer();

    /// <summary>Whether the engine takes one name for the other.</summary>
    /// <remarks>Go's encoding/json folds two letters outside of ASCII too: U+017F is an s and U+212A a k, so <c>Bindſ</c> sets <c>Binds</c>.</remarks>
    public static bool SameName(string given, string name) => Folded(given).Equals(Folded(name), StringComparison.OrdinalIgnoreCase);

    /// <summary>Every member of that name, also those that differ in case only, in order; none where the value is no object.</summary>
    public static IEnumerable<JsonElement> AllOf(JsonElement? engineObject, string name) => engineObject is { ValueKind: JsonValueKind.Object } it
        ? it.EnumerateObject().Where(m => SameName(m.Name, name)).Select(m => m.Value)
        : [];

    /// <summary>Text of a member; <see langword="null"/> if it is absent or no text. Of several the last counts, as in the engine.</summary>
    public static string? TextOf(JsonElement? engineObject, string name) =>
        AllOf(engineObject, name).LastOrDefault() is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>Members of a member that is an object; none where it is absent or no object.</summary>
    public static IEnumerable<JsonProperty> MembersOf(JsonElement? engineObject, string name) =>
        AllOf(engineObject, name).Where(m => m.ValueKind == JsonValueKind.Object).SelectMany(m => m.EnumerateObject());

    /// <summary>Items of a member that is an array; none where it is absent or no array.</summary>
    public static IEnumerable<JsonElement> ItemsOf(JsonElement? engineObject, string name) =>
        AllOf(engineObject, name).Where(m => m.ValueKind == JsonValueKind.Array).SelectMany(m => m.EnumerateArray());

    private static string Folded(string name) => name.Replace('\u017F', 's').Replace('\u212A', 'k');

    private sealed class NameComparer : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x is null || y is null ? ReferenceEquals(x, y) : SameName(x, y);

        public int GetHashCode(string obj) => StringComparer.OrdinalIgnoreCase.GetHashCode(Folded(obj));
    }
}
