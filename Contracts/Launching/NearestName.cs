namespace Wunderproxy.Contracts.Launching;

/// <summary>Finds the name that somebody most likely meant.</summary>
public static class NearestName
{
    // Names are short; whatever of a longer one is left out can only make it less near.
    private const int LongestCompared = 64;

    /// <summary>The known name with the smallest edit distance, without regard to case; the first of several.</summary>
    /// <param name="given">What was written, of any length.</param>
    /// <param name="known">The names that would have been right, at least one.</param>
    public static string To(string given, IEnumerable<string> known)
    {
        var compared = given.Length <= LongestCompared ? given : given[..LongestCompared];
        return known.MinBy(name => Distance(compared.ToUpperInvariant(), name.ToUpperInvariant()))!;
    }

    /// <summary>Levenshtein distance: insertions, deletions and replacements of one character.</summary>
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 0; i < from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < to.Length; j++)
            {
                var replaced = diagonal + (from[i] == to[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(replaced, Math.Min(row[j], diagonal) + 1);
            }
        }

        return row[to.Length];
    }
}
