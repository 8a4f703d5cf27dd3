namespace Wunderproxy.Controller.Reporting;

/// <summary>A line for people.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Tone">How it is shown where colours are.</param>
internal readonly record struct Line(string Text, Tone Tone = Tone.Plain)
{
    public static Line Empty { get; } = new("");
}

internal enum Tone
{
    Plain,

    /// <summary>A heading.</summary>
    Strong,

    /// <summary>All is well.</summary>
    Good,

    /// <summary>Something wants attention.</summary>
    Bad,

    /// <summary>Of less interest.</summary>
    Faint,
}
