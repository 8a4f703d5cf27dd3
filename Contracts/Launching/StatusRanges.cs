using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Wunderproxy.Contracts.Launching;

/// <summary>HTTP statuses as codes and ranges, such as <c>200-299,304</c>.</summary>
public sealed class StatusRanges
{
    private readonly (int First, int Last)[] _ranges;

    private StatusRanges((int First, int Last)[] ranges) => _ranges = ranges;

    /// <summary>Reads codes and ranges, separated by commas; spaces around a comma are allowed.</summary>
    /// <param name="text">Codes from 200 to 599.</param>
    /// <param name="ranges">What was read.</param>
    /// <returns><see langword="false"/> if the text is none, a code is outside 200 to 599, or a range ends before it begins.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out StatusRanges? ranges)
    {
        (int, int)?[] read = [.. (text ?? "").Split(',').Select(part => RangeOf(part.Trim(' ')))];
        ranges = read.Contains(null) ? null : new StatusRanges([.. read.Select(r => r!.Value)]);
        return ranges is not null;
    }

    /// <summary>Whether a status is one of them.</summary>
    public bool Contains(int status) => _ranges.Any(r => status >= r.First && status <= r.Last);

    private static (int First, int Last)? RangeOf(string part)
    {
        var dash = part.IndexOf('-', StringComparison.Ordinal);
        var first = CodeOf(dash < 0 ? part : part[..dash]);
        var last = CodeOf(part[(dash + 1)..]);
        return first <= last ? (first.Value, last.Value) : null;
    }

    private static int? CodeOf(string text) =>
        text.Length == 3 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 200 and <= 599 ? code : null;
}
