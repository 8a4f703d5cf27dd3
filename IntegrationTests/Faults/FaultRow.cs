using System.Globalization;
using System.Text.RegularExpressions;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>One line of REPORT.md.</summary>
internal sealed partial record FaultRow(string Fault, string Expected, string Seen, string Sent, string Failed, string Recovery)
{
    public static FaultRow Of(Play play, string? failure, int sent, int failed) => new(
        play.Fault.Fault,
        play.Fault.Expected,
        failure is null ? play.Seen : $"**not as expected:** {failure}",
        Rounded(sent),
        failed == 0 ? "0" : $"{Rounded(failed)}: {play.Fault.Excuse}",
        play.Recovery is { } recovery ? Play.Seconds(recovery) : "");

    /// <summary>Reads a line that <see cref="ToString"/> wrote.</summary>
    /// <returns>Absent where it is none.</returns>
    public static FaultRow? Parse(string line) => line.Split(" | ") is [var fault, var expected, var seen, [>= '0' and <= '9', ..] sent, var failed, var recovery]
        ? new FaultRow(fault[2..], expected, seen, sent, failed, recovery.TrimEnd('|').Trim())
        : null;

    public override string ToString() => $"| {Cell(Fault)} | {Cell(Expected)} | {Cell(Seen)} | {Sent} | {Cell(Failed)} | {Recovery} |";

    private static string Cell(string text) => FoldersOfThisRun().Replace(text, "…/").Replace('|', '/').ReplaceLineEndings(" ").Trim();

    [GeneratedRegex(@"/[^\s']*wunderproxy-lab[^\s']*/", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FoldersOfThisRun();

    // To two digits: how many there are differs from run to run.
    private static string Rounded(int count)
    {
        var unit = count < 100 ? 1 : (int)Math.Pow(10, Math.Floor(Math.Log10(count)) - 1);
        return (count / unit * unit).ToString("#,0", CultureInfo.InvariantCulture).Replace(',', ' ');
    }
}
