using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>One field line of a message.</summary>
internal readonly record struct Field(string Name, string Value)
{
    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}

/// <summary>How the end of a body is found.</summary>
internal enum Framing
{
    None,
    Length,
    Chunks,
    EndOfConnection,
}

/// <summary>An HTTP/1 message that can be read in one way only; text is Latin-1, so each character is one byte.</summary>
internal sealed record StrictMessage
{
    /// <summary>Request line or status line.</summary>
    public required string Start { get; init; }

    public required IReadOnlyList<Field> Fields { get; init; }

    public required Framing Framing { get; init; }

    /// <summary>The body so far, without its framing.</summary>
    public string Body { get; init; } = "";

    public IReadOnlyList<Field> Trailers { get; init; } = [];

    /// <summary>Whether its last byte is there.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Bytes of the whole message as it was sent.</summary>
    public int Length { get; init; }

    public string Method => Start[..Start.IndexOf(' ', StringComparison.Ordinal)];

    public string Target => Start.Split(' ')[1];

    public int Status => int.Parse(Start.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The values of a field in their order; lines of the same name mean the same as one line with a list.</summary>
    public string? Value(string name) => Joined(Fields, name);

    /// <summary>
    /// The message in one line: method and target or status, fields by name in small letters, the body in brackets, each of its own kind
    /// (an empty one of a known length is none):
    /// <c>&lt;length&gt;</c>, <c>&lt;&lt;chunks&gt;&gt;</c>, <c>&lt;end of the connection|</c>, then trailers. <c>~</c> at the end: it broke off.
    /// </summary>
    /// <param name="isShown">Which fields are worth showing.</param>
    public string Render(Func<Field, bool> isShown)
    {
        var text = new StringBuilder(Start.StartsWith("HTTP/", StringComparison.Ordinal) ? Start[9..12] : Start[..Start.LastIndexOf(' ')]);
        AppendFields(text, Fields.Where(isShown), "; ");
        text.Append(Framing switch
        {
            Framing.Length => Body is "" && IsWhole ? "" : $" <{Body}>",
            Framing.Chunks => $" <<{Body}>>",
            Framing.EndOfConnection => $" <{Body}|",
            _ => "",
        });
        AppendFields(text, Trailers, " +");
        return IsWhole ? text.ToString() : text.ToString().TrimEnd('>') + "~";
    }

    private static void AppendFields(StringBuilder text, IEnumerable<Field> fields, string separator)
    {
        var all = fields.ToList();
        foreach (var name in all.Select(field => field.Name.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal))
        {
            text.Append(separator).Append(name).Append(": ").Append(Joined(all, name));
        }
    }

    private static string? Joined(IEnumerable<Field> fields, string name)
    {
        var values = fields.Where(field => field.Is(name)).Select(field => field.Value).ToList();
        return values.Count == 0 ? null : string.Join(name.Equals("cookie", StringComparison.OrdinalIgnoreCase) ? "; " : ", ", values);
    }
}
