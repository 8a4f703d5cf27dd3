using Wunderproxy.Controller.Comparing;

namespace Wunderproxy.Controller.Reporting;

/// <summary>Differences for people: + what is new, - what is gone, ~ what has changed.</summary>
internal static class DiffText
{
    public static IEnumerable<Line> Of(IReadOnlyList<Difference> differences)
    {
        if (differences.Count == 0)
        {
            return [new("  nothing changes", Tone.Faint)];
        }

        var rows = differences.Select(IReadOnlyList<string> (difference) => [Sign(difference), difference.Path, Change(difference)]).ToList();
        return Columns.Align("  ", rows).Select((row, number) => new Line(row, ToneOf(differences[number])));
    }

    private static string Sign(Difference difference) => difference switch
    {
        { Before: null } => "+",
        { After: null } => "-",
        _ => "~",
    };

    private static string Change(Difference difference) => difference switch
    {
        { Before: null } => difference.After!,
        { After: null } => difference.Before,
        { Before: ConfigurationDiff.Hidden } => $"{ConfigurationDiff.Hidden} -> another value",
        _ => $"{difference.Before} -> {difference.After}",
    };

    private static Tone ToneOf(Difference difference) => difference switch
    {
        { Before: null } => Tone.Good,
        { After: null } => Tone.Bad,
        _ => Tone.Plain,
    };
}
