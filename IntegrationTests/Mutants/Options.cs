using System.Globalization;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>Which mutants are tried, and for how long.</summary>
internal sealed record Options
{
    /// <summary>Files whose name has this in it; absent: all.</summary>
    public string? Only { get; private init; }

    /// <summary>Number of the first mutant, from 1.</summary>
    public int From { get; private init; } = 1;

    public int To { get; private init; } = int.MaxValue;

    /// <summary>After that no further one is begun.</summary>
    public TimeSpan Limit { get; private init; } = TimeSpan.MaxValue;

    /// <summary>Whether the survivors of former runs are tried again.</summary>
    public bool Again { get; private init; }

    /// <summary>Whether the mutants are only listed.</summary>
    public bool List { get; private init; }

    /// <returns>Absent: the arguments aren't understood.</returns>
    public static Options? Parse(ReadOnlySpan<string> arguments) => arguments switch
    {
        [] => new Options(),
        ["--again", .. var rest] => Parse(rest) is { } options ? options with { Again = true } : null,
        ["--list", .. var rest] => Parse(rest) is { } options ? options with { List = true } : null,
        ["--only", var file, .. var rest] => Parse(rest) is { } options ? options with { Only = file } : null,
        ["--from", var number, .. var rest] when Number(number) is { } from => Parse(rest) is { } options ? options with { From = from } : null,
        ["--to", var number, .. var rest] when Number(number) is { } to => Parse(rest) is { } options ? options with { To = to } : null,
        ["--minutes", var number, .. var rest] when Number(number) is { } minutes => Parse(rest) is { } options ? options with { Limit = TimeSpan.FromMinutes(minutes) } : null,
        _ => null,
    };

    private static int? Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}
