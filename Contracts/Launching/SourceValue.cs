using System.Text.Json;

namespace Wunderproxy.Contracts.Launching;

/// <summary>A JSON value that knows where it stands in its text.</summary>
/// <param name="Kind">Kind of the value.</param>
/// <param name="Path">JSON path, such as <c>$.HealthCheck.Timeout</c>.</param>
/// <param name="Start">Offset of its first byte.</param>
internal sealed record SourceValue(JsonValueKind Kind, string Path, int Start)
{
    /// <summary>Offset of the byte after its last.</summary>
    public int End { get; init; }

    /// <summary>The text of a string, or a number as it is written.</summary>
    public string Text { get; init; } = "";

    /// <summary>Members of an object in order, those of the same name included.</summary>
    public IReadOnlyList<SourceMember> Members { get; init; } = [];

    /// <summary>Items of an array.</summary>
    public IReadOnlyList<SourceValue> Items { get; init; } = [];

    /// <summary>The first member of that name, which is compared without regard to case; null counts as absent.</summary>
    public SourceValue? Find(string name) =>
        Members.FirstOrDefault(m => EngineObject.SameName(m.Name, name))?.Value is { Kind: not JsonValueKind.Null } value ? value : null;
}

/// <summary>A member of an object.</summary>
/// <param name="Name">Name as it is written.</param>
/// <param name="Start">Offset of the name.</param>
/// <param name="Value">Its value.</param>
internal sealed record SourceMember(string Name, int Start, SourceValue Value);
