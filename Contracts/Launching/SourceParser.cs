using System.Text;
using System.Text.Json;

namespace Wunderproxy.Contracts.Launching;

/// <summary>Reads JSON into values that know their place, for <see cref="JsonElement"/> doesn't tell it.</summary>
internal ref struct SourceParser
{
    private const int LongestNameInPath = 64;

    private Utf8JsonReader _reader;

    private SourceParser(ReadOnlySpan<byte> json, int maxDepth) =>
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });

    /// <summary>Reads one JSON value and nothing after it.</summary>
    /// <exception cref="JsonException">It is no JSON; line and byte in the line, both from 0, tell where.</exception>
    /// <exception cref="BrokenTextException">A text in it is none.</exception>
    public static SourceValue Parse(ReadOnlySpan<byte> json, int maxDepth)
    {
        var parser = new SourceParser(json, maxDepth);
        parser._reader.Read();
        var value = parser.Value("$");
        parser._reader.Read();
        return value;
    }

    private SourceValue Value(string path)
    {
        var start = (int)_reader.TokenStartIndex;
        var value = _reader.TokenType switch
        {
            JsonTokenType.StartObject => new SourceValue(JsonValueKind.Object, path, start) { Members = Members(path) },
            JsonTokenType.StartArray => new SourceValue(JsonValueKind.Array, path, start) { Items = Items(path) },
            JsonTokenType.String => new SourceValue(JsonValueKind.String, path, start) { Text = Text() },
            JsonTokenType.Number => new SourceValue(JsonValueKind.Number, path, start) { Text = Encoding.UTF8.GetString(_reader.ValueSpan) },
            JsonTokenType.True => new SourceValue(JsonValueKind.True, path, start),
            JsonTokenType.False => new SourceValue(JsonValueKind.False, path, start),
            _ => new SourceValue(JsonValueKind.Null, path, start),
        };
        return value with { End = (int)_reader.BytesConsumed };
    }

    private List<SourceMember> Members(string path)
    {
        var members = new List<SourceMember>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            var start = (int)_reader.TokenStartIndex;
            var name = Text();
            _reader.Read();
            members.Add(new SourceMember(name, start, Value(path + Step(name))));
        }

        return members;
    }

    private List<SourceValue> Items(string path)
    {
        var items = new List<SourceValue>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(Value($"{path}[{items.Count}]"));
        }

        return items;
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair, such as "\ud800": the reader takes it for JSON, but it is no text.
            throw new BrokenTextException((int)_reader.TokenStartIndex, e);
        }
    }

    private static string Step(string name) =>
        name.Length is > 0 and <= LongestNameInPath && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') ? "." + name : $"['{Shown(name)}']";

    /// <summary>A name as it may stand in a message: not endless, and on one line.</summary>
    public static string Shown(string name)
    {
        var start = name.Length <= LongestNameInPath ? name : name[..LongestNameInPath] + "…";
        return string.Concat(start.Select(c => char.IsControl(c) ? '?' : c));
    }
}

/// <summary>A JSON string that stands for no text.</summary>
internal sealed class BrokenTextException(int offset, Exception cause) : Exception("It contains an escape that is no character.", cause)
{
    /// <summary>Offset of the string.</summary>
    public int Offset { get; } = offset;
}
