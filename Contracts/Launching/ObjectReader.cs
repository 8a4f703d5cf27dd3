using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Launching;

/// <summary>What is wrong with a text, or null where nothing is.</summary>
internal delegate Flaw? TextRule(string text);

/// <summary>What is wrong with a value.</summary>
/// <param name="Problem">What is wrong, as a sentence.</param>
/// <param name="Fix">What to write instead, as a sentence.</param>
internal sealed record Flaw(string Problem, string Fix);

/// <summary>Reads the properties of one object of the configuration. Each property asked for is a known one; all others are errors in the end.</summary>
/// <remarks>A property that is absent or in error has its default, so that reading goes on and finds all errors.</remarks>
internal sealed class ObjectReader(SourceText source, SourceValue value)
{
    private readonly List<string> _known = [];

    /// <summary>A text that has a default.</summary>
    public string Text(string name, string absent, TextRule rule) => TextOf(Find(name), rule) ?? absent;

    /// <summary>A text that may be absent or null.</summary>
    public string? OptionalText(string name, TextRule rule) => TextOf(FindOrNull(name), rule);

    /// <summary>A text that must be there.</summary>
    public string RequiredText(string name, TextRule rule)
    {
        if (Find(name) is { } found)
        {
            return TextOf(found, rule) ?? "";
        }

        Missing(name, "a text");
        return "";
    }

    /// <summary>A truth value.</summary>
    public bool Flag(string name, bool absent = false) =>
        Find(name) is { } found && Is(found, "true or false", JsonValueKind.True, JsonValueKind.False) ? found.Kind == JsonValueKind.True : absent;

    /// <summary>A whole number in a range.</summary>
    public int Number(string name, int absent, int smallest, int largest) => NumberOf(Find(name), smallest, largest) ?? absent;

    /// <summary>A whole number in a range that may be absent or null.</summary>
    public int? OptionalNumber(string name, int smallest, int largest) => NumberOf(FindOrNull(name), smallest, largest);

    /// <summary>One of the words of an enumeration, without regard to case.</summary>
    public T Choice<T>(string name, T absent)
        where T : struct, Enum
    {
        if (Find(name) is not { } found || !Is(found, "a text", JsonValueKind.String))
        {
            return absent;
        }

        foreach (var choice in Enum.GetValues<T>())
        {
            if (string.Equals(WordOf(choice), found.Text, StringComparison.OrdinalIgnoreCase))
            {
                return choice;
            }
        }

        source.Add(found, $"\"{SourceParser.Shown(found.Text)}\" is not one of its values.", $"Write one of {string.Join(", ", Enum.GetValues<T>().Select(choice => $"\"{WordOf(choice)}\""))}.");
        return absent;
    }

    /// <summary>Notes that a property, which is there, doesn't fit to others.</summary>
    public void Refuse(string name, string problem, string fix)
    {
        if (Find(name) is { } found)
        {
            source.Add(found, problem, fix);
        }
    }

    /// <summary>A duration in a range.</summary>
    public TimeSpan Time(string name, TimeSpan absent, TimeSpan shortest, TimeSpan longest) => TimeOf(Find(name), shortest, longest) ?? absent;

    /// <summary>A duration in a range that may be absent or null.</summary>
    public TimeSpan? OptionalTime(string name, TimeSpan shortest, TimeSpan longest) => TimeOf(FindOrNull(name), shortest, longest);

    /// <summary>A share that may be absent or null.</summary>
    public double? OptionalShare(string name)
    {
        if (FindOrNull(name) is not { } found || !Is(found, "a share", JsonValueKind.String))
        {
            return null;
        }

        if (Percentage.TryParse(found.Text, out var share))
        {
            return share;
        }

        source.Add(found, $"\"{SourceParser.Shown(found.Text)}\" is not a share.", "Write a number from 0 to 100 and a percent sign, such as \"1%\" or \"0.5%\".");
        return null;
    }

    /// <summary>A size in bytes, in a range.</summary>
    public long Size(string name, long absent, long smallest, long largest) => SizeOf(Find(name), smallest, largest) ?? absent;

    /// <summary>A size in bytes, up to 1 TiB, that may be absent or null.</summary>
    public long? OptionalSize(string name) => SizeOf(FindOrNull(name), 0, ByteSize.Largest);

    /// <summary>An object of the configuration that has defaults.</summary>
    public T Section<T>(string name, T absent, Func<ObjectReader, T> read) => Find(name) is { } found ? SectionOf(found, absent, read) : absent;

    /// <summary>An object of the configuration that may be absent or null.</summary>
    public T? OptionalSection<T>(string name, Func<ObjectReader, T> read)
        where T : class => FindOrNull(name) is { } found ? SectionOf(found, null, read) : null;

    /// <summary>An object whose members are names and texts.</summary>
    public IReadOnlyDictionary<string, string> Texts(string name, int most, TextRule nameRule, TextRule textRule)
    {
        var texts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (Find(name) is not { } found || !Is(found, "an object", JsonValueKind.Object))
        {
            return texts;
        }

        if (found.Members.Count > most)
        {
            source.Add(found, $"It has {found.Members.Count} members.", $"At most {most} are allowed.");
        }

        foreach (var member in found.Members)
        {
            Note(member.Start, member.Value.Path, nameRule(member.Name));
            texts[member.Name] = TextOf(member.Value, textRule) ?? "";
        }

        return texts;
    }

    /// <summary>An array of texts, each one once, without regard to case.</summary>
    public IReadOnlyList<string> TextList(string name, int most, TextRule rule, IReadOnlyList<string>? absent = null)
    {
        if (Find(name) is not { } found || !Is(found, "an array", JsonValueKind.Array))
        {
            return absent ?? [];
        }

        if (found.Items.Count > most)
        {
            source.Add(found, $"It has {found.Items.Count} items.", $"At most {most} are allowed.");
        }

        var texts = new List<string>();
        foreach (var item in found.Items)
        {
            var text = TextOf(item, rule) ?? "";
            if (texts.Contains(text, StringComparer.OrdinalIgnoreCase))
            {
                source.Add(item, $"\"{SourceParser.Shown(text)}\" stands there twice.", "Remove one of them.");
            }

            texts.Add(text);
        }

        return texts;
    }

    /// <summary>Notes what is wrong with a property in view of others.</summary>
    public void Check(string name, Flaw? flaw)
    {
        if (Find(name) is { } found)
        {
            Note(found.Start, found.Path, flaw);
        }
    }

    /// <summary>An object of the engine that must be there.</summary>
    public SourceValue? EngineObject(string name)
    {
        if (FindOrNull(name) is { } found)
        {
            return Is(found, "an object", JsonValueKind.Object) ? found : null;
        }

        Missing(name, "the engine's object of that name");
        return null;
    }

    /// <summary>An object of the engine that may be absent or null.</summary>
    public SourceValue? OptionalEngineObject(string name) =>
        FindOrNull(name) is { } found && Is(found, "an object", JsonValueKind.Object) ? found : null;

    /// <summary>A text that is there for other programs.</summary>
    public void PassOver(string name) => _ = OptionalText(name, _ => null);

    /// <summary>Notes each property that nobody asked for.</summary>
    public void End()
    {
        foreach (var member in value.Members.Where(m => !IsOneOf(_known, m)))
        {
            var nearest = NearestName.To(member.Name, _known);
            source.Add(member.Start, member.Value.Path, $"There is no property \"{SourceParser.Shown(member.Name)}\".", $"Write \"{nearest}\" if that is meant, else remove it.");
        }
    }

    private static bool IsOneOf(List<string> names, SourceMember member) => names.Exists(n => Launching.EngineObject.SameName(member.Name, n));

    private static string WordOf<T>(T choice)
        where T : struct, Enum => typeof(T).GetField(choice.ToString())!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? choice.ToString();

    private static string Described(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };

    private T SectionOf<T>(SourceValue found, T absent, Func<ObjectReader, T> read)
    {
        if (!Is(found, "an object", JsonValueKind.Object))
        {
            return absent;
        }

        var reader = new ObjectReader(source, found);
        var section = read(reader);
        reader.End();
        return section;
    }

    private string? TextOf(SourceValue? found, TextRule rule)
    {
        if (found is null || !Is(found, "a text", JsonValueKind.String))
        {
            return null;
        }

        Note(found.Start, found.Path, rule(found.Text));
        return found.Text;
    }

    private TimeSpan? TimeOf(SourceValue? found, TimeSpan shortest, TimeSpan longest)
    {
        if (found is null || !Is(found, "a duration", JsonValueKind.String))
        {
            return null;
        }

        if (!Duration.TryParse(found.Text, out var duration))
        {
            source.Add(found, $"\"{SourceParser.Shown(found.Text)}\" is not a duration.", "Write a number and a unit, such as \"250ms\", \"30s\", \"5m\" or \"1h\".");
            return null;
        }

        return InRange(found, duration, shortest, longest, "duration", Duration.Format);
    }

    private long? SizeOf(SourceValue? found, long smallest, long largest)
    {
        if (found is null || !Is(found, "a size", JsonValueKind.Number, JsonValueKind.String))
        {
            return null;
        }

        if (!ByteSize.TryParse(found.Text, out var size))
        {
            source.Add(found, $"\"{SourceParser.Shown(found.Text)}\" is not a size up to 1 TiB.", "Write bytes, or a whole number and a unit, such as \"512KiB\", \"10MiB\" or \"2GiB\".");
            return null;
        }

        return InRange(found, size, smallest, largest, "size", ByteSize.Format);
    }

    private T? InRange<T>(SourceValue found, T value, T smallest, T largest, string noun, Func<T, string> format)
        where T : struct, IComparable<T>
    {
        if (value.CompareTo(smallest) >= 0 && value.CompareTo(largest) <= 0)
        {
            return value;
        }

        var range = $"from {format(smallest)} to {format(largest)}";
        source.Add(found, $"\"{SourceParser.Shown(found.Text)}\" is outside of the range {range}.", $"Write a {noun} {range}.");
        return null;
    }

    private int? NumberOf(SourceValue? found, int smallest, int largest)
    {
        if (found is null || !Is(found, "a number", JsonValueKind.Number))
        {
            return null;
        }

        if (int.TryParse(found.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= smallest && number <= largest)
        {
            return number;
        }

        source.Add(found, $"{SourceParser.Shown(found.Text)} is not a whole number from {smallest} to {largest}.", $"Write one from {smallest} to {largest}.");
        return null;
    }

    private void Note(int offset, string path, Flaw? flaw)
    {
        if (flaw is not null)
        {
            source.Add(offset, path, flaw.Problem, flaw.Fix);
        }
    }

    private void Missing(string name, string expected) => source.Add(value.Start, $"{value.Path}.{name}", "It is missing.", $"Add {expected}.");

    private SourceValue? FindOrNull(string name) => Find(name) is { Kind: not JsonValueKind.Null } found ? found : null;

    private SourceValue? Find(string name)
    {
        _known.Add(name);
        return value.Members.FirstOrDefault(m => Launching.EngineObject.SameName(m.Name, name))?.Value;
    }

    private bool Is(SourceValue found, string expected, params ReadOnlySpan<JsonValueKind> kinds)
    {
        if (kinds.Contains(found.Kind))
        {
            return true;
        }

        source.Add(found, $"It is {Described(found.Kind)}, not {expected}.", $"Write {expected}, or leave the property out.");
        return false;
    }
}
