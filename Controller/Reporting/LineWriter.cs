namespace Wunderproxy.Controller.Reporting;

/// <summary>Writes lines for people. What comes from applications may hold control characters, which never reach the terminal.</summary>
/// <param name="output">Where they go.</param>
/// <param name="isTerminal">Whether a line may be rewritten.</param>
/// <param name="hasColours">Whether tones are shown.</param>
internal sealed class LineWriter(TextWriter output, bool isTerminal, bool hasColours)
{
    private const string Clear = "\e[2K\r";
    private const string Home = "\e[H\e[2J\e[3J";
    private const string Reset = "\e[0m";

    private bool _isPassing;

    public void Write(Line line)
    {
        EndPassing();
        output.WriteLine(Shown(line));
    }

    public void Write(IEnumerable<Line> lines)
    {
        foreach (var line in lines)
        {
            Write(line);
        }

        output.Flush();
    }

    /// <summary>Shows a line that the next one replaces; nothing where lines can't be replaced.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="width">Columns of the terminal; a longer text is cut, for a line that wraps can't be taken back.</param>
    public void Pass(string text, int width)
    {
        if (!isTerminal)
        {
            return;
        }

        var fitting = text.Length < width ? text : text[..Math.Max(0, width - 1)];
        output.Write(Clear + Shown(new Line(fitting, Tone.Faint)));
        output.Flush();
        _isPassing = true;
    }

    /// <summary>Begins at the top of an empty screen; only where there is one.</summary>
    public void BeginScreen()
    {
        if (isTerminal)
        {
            output.Write(Home);
        }
    }

    /// <summary>Takes the passing line away.</summary>
    public void EndPassing()
    {
        if (_isPassing)
        {
            output.Write(Clear);
            _isPassing = false;
        }
    }

    private string Shown(Line line)
    {
        var text = Harmless(line.Text);
        return hasColours && line.Tone != Tone.Plain ? $"{CodeOf(line.Tone)}{text}{Reset}" : text;
    }

    private static string Harmless(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;

    private static string CodeOf(Tone tone) => tone switch
    {
        Tone.Strong => "\e[1m",
        Tone.Good => "\e[32m",
        Tone.Bad => "\e[31m",
        Tone.Faint => "\e[2m",
        _ => "",
    };
}
