using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Comparing;

/// <summary>What changes from one launch configuration to another, value by value. Values that may be secret are compared and never shown.</summary>
internal static class ConfigurationDiff
{
    /// <summary>Stands for a value that may be secret.</summary>
    public const string Hidden = "(hidden)";

    private const int MaxShown = 160;
    private const string Environment = "ContainerConfig.Env";
    private const string Headers = "HealthCheck.Headers";
    private static readonly string[] SecretNames = ["password", "passwd", "secret", "token"];
    private static readonly JsonWriterOptions AsWritten = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The differences in the order of the new document, then what it no longer has.</summary>
    /// <param name="before">Bytes of a valid configuration; absent: there is none, and all is new.</param>
    /// <param name="after">Bytes of a valid configuration.</param>
    public static IReadOnlyList<Difference> Between(byte[]? before, byte[] after)
    {
        var differences = new List<Difference>();
        Compare("", before is null ? null : Parse(before), Parse(after), differences);
        return differences;
    }

    private static JsonElement Parse(ReadOnlySpan<byte> json) => JsonElement.Parse(json.StartsWith("\uFEFF"u8) ? json["\uFEFF"u8.Length..] : json);

    private static void Compare(string path, JsonElement? before, JsonElement? after, List<Difference> differences)
    {
        if (Members(path, before, after) is { } members)
        {
            foreach (var (name, former, next) in members)
            {
                Compare(path.Length == 0 ? name : $"{path}.{name}", former, next, differences);
            }
        }
        else if (before is not { } old || after is not { } @new || !JsonElement.DeepEquals(old, @new))
        {
            differences.Add(new Difference(path, Shown(path, before), Shown(path, after)));
        }
    }

    /// <summary>The members of both, where at least one has members and the other has none of another kind.</summary>
    private static IEnumerable<(string Name, JsonElement? Before, JsonElement? After)>? Members(string path, JsonElement? before, JsonElement? after)
    {
        var (former, next) = (MembersOf(path, before), MembersOf(path, after));
        if ((former is null && before is { ValueKind: not JsonValueKind.Null }) || (next is null && after is { ValueKind: not JsonValueKind.Null }) || (former ?? next) is null)
        {
            return null;
        }

        var (olds, news) = (former ?? [], next ?? []);
        return
        [
            .. news.Select(member => (member.Key, olds.TryGetValue(member.Key, out var old) ? old : (JsonElement?)null, (JsonElement?)member.Value)),
            .. olds.Where(member => !news.ContainsKey(member.Key)).Select(member => (member.Key, (JsonElement?)member.Value, (JsonElement?)null)),
        ];
    }

    private static Dictionary<string, JsonElement>? MembersOf(string path, JsonElement? value) => value switch
    {
        { ValueKind: JsonValueKind.Object } element => ByName(element.EnumerateObject().Select(member => (member.Name, member.Value)), IsCaseOfNoMatter(path)),
        { ValueKind: JsonValueKind.Array } element when IsAt(path, Environment) => ByName(element.EnumerateArray().Select(Variable), isCaseOfNoMatter: false),
        _ => null,
    };

    // Of a name that is there twice the later one counts, for the engine as well.
    private static Dictionary<string, JsonElement> ByName(IEnumerable<(string Name, JsonElement Value)> members, bool isCaseOfNoMatter)
    {
        var byName = new Dictionary<string, JsonElement>(isCaseOfNoMatter ? EngineObject.Names : StringComparer.Ordinal);
        foreach (var (name, value) in members)
        {
            byName[name] = value;
        }

        return byName;
    }

    // "NAME=VALUE"; the whole is the value, which is only compared.
    private static (string Name, JsonElement Value) Variable(JsonElement item) => ((item.GetString() ?? "").Split('=')[0], item);

    // The names of the format and of the engine's objects are matched without regard to case; labels and headers are somebody's own.
    private static bool IsCaseOfNoMatter(string path) => !path.EndsWith(".Labels", StringComparison.OrdinalIgnoreCase);

    private static string? Shown(string path, JsonElement? value)
    {
        if (value is not { } element)
        {
            return null;
        }

        if (IsSecret(path))
        {
            return Hidden;
        }

        var text = Written(element);
        return text.Length <= MaxShown ? text : $"{text[..MaxShown]}…";
    }

    private static string Written(JsonElement element)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(text, AsWritten))
        {
            element.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static bool IsSecret(string path) =>
        IsAt(path, Environment) || IsBelow(path, Environment) || IsBelow(path, Headers)
        || Array.Exists(SecretNames, name => path.EndsWith(name, StringComparison.OrdinalIgnoreCase));

    private static bool IsAt(string path, string place) => EngineObject.SameName(path, place);

    private static bool IsBelow(string path, string place) => path.Length > place.Length && path[place.Length] == '.' && IsAt(path[..place.Length], place);
}
