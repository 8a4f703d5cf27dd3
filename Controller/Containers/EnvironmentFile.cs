namespace Wunderproxy.Controller.Containers;

/// <summary>The host's own environment for its containers: the file of <c>--cfg</c>, one <c>key=value</c> a line.</summary>
internal static class EnvironmentFile
{
    /// <summary>Reads the file's text: blank lines and lines that begin with # count as comments, space around key and value is dropped.</summary>
    /// <returns>The variables, or every bad line with its number. An error never shows what the line contains, for it may be a secret.</returns>
    public static EnvironmentFileResult Parse(string text)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        var lineOf = new Dictionary<string, int>(StringComparer.Ordinal);
        var errors = new List<string>();
        foreach (var (index, line) in text.TrimStart('\uFEFF').ReplaceLineEndings("\n").Split('\n').Index())
        {
            if (IsComment(line))
            {
                continue;
            }

            if (Variable(line) is not var (key, value))
            {
                errors.Add($"Line {index + 1} is not of the form key=value. Write a name without spaces, '=' and the value, or begin the line with # for a comment.");
            }
            else if (!lineOf.TryAdd(key, index + 1))
            {
                errors.Add($"Line {index + 1} sets a variable that line {lineOf[key]} has set already. Keep one of the two.");
            }
            else
            {
                variables.Add(key, value);
            }
        }

        return new(variables, errors);
    }

    private static bool IsComment(string line) => line.AsSpan().Trim() is [] or ['#', ..];

    private static (string Key, string Value)? Variable(string line)
    {
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        var key = equals < 0 ? "" : line[..equals].Trim();
        return key.Length == 0 || key.Any(c => char.IsWhiteSpace(c) || char.IsControl(c)) || line.Contains('\0', StringComparison.Ordinal)
            ? null
            : (key, line[(equals + 1)..].Trim());
    }
}

/// <summary>What the file says.</summary>
/// <param name="Variables">To be used only where there are no errors.</param>
/// <param name="Errors">One sentence for each bad line, without its content.</param>
internal sealed record EnvironmentFileResult(IReadOnlyDictionary<string, string> Variables, IReadOnlyList<string> Errors);
