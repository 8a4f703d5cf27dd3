using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Controller.Comparing;

namespace Wunderproxy.Controller.Cli;

/// <summary>A comparison of two launch configurations as a line of JSON.</summary>
/// <param name="News">Always <c>Changes</c>, to tell it from the other lines of a deployment.</param>
/// <param name="Before">Hash of the former document; absent: there is none.</param>
/// <param name="After">Hash of the next one.</param>
/// <param name="Changes">The differences.</param>
internal sealed record ChangeLine(string News, string? Before, string After, IReadOnlyList<Difference> Changes)
{
    public static string Of(string? before, string after, IReadOnlyList<Difference> changes) =>
        JsonSerializer.Serialize(new ChangeLine("Changes", before, after, changes), JsonLines.Format.ChangeLine);
}

/// <summary>That a document is published, as a line of JSON.</summary>
/// <param name="News">Always <c>Published</c>.</param>
/// <param name="Hash">Its hash.</param>
/// <param name="Revision">Its name for people.</param>
internal sealed record PublishedLine(string News, string Hash, string Revision)
{
    public static string Of(string hash, string revision) => JsonSerializer.Serialize(new PublishedLine("Published", hash, revision), JsonLines.Format.PublishedLine);
}

/// <summary>JSON lines of the commands, source generated.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.General, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ChangeLine))]
[JsonSerializable(typeof(PublishedLine))]
[JsonSerializable(typeof(Contracts.HistoryEntry))]
[JsonSerializable(typeof(Contracts.Admin.AbortStatus))]
[JsonSerializable(typeof(Contracts.Admin.CanaryStatus))]
[JsonSerializable(typeof(Contracts.Admin.DrainStatus))]
[JsonSerializable(typeof(Contracts.Admin.HostDrainStatus))]
[JsonSerializable(typeof(Contracts.Admin.MaintenanceStatus))]
[JsonSerializable(typeof(Contracts.Admin.PauseStatus))]
[JsonSerializable(typeof(Following.HostDrainNews))]
[JsonSerializable(typeof(Reporting.Explanation))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(Following.HostNews))]
[JsonSerializable(typeof(Examining.Finding))]
internal sealed partial class CliJson : JsonSerializerContext;

/// <summary>How lines of JSON are written: with quotes and accents as they are, since people read them, too. They are never part of an HTML page.</summary>
internal static class JsonLines
{
    public static CliJson Format { get; } = new(new JsonSerializerOptions(CliJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
