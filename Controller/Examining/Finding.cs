namespace Wunderproxy.Controller.Examining;

/// <summary>What one examination of a host found.</summary>
/// <param name="Subject">What was looked at, such as <c>engine</c>.</param>
/// <param name="Verdict">Whether it will do.</param>
/// <param name="What">What was seen.</param>
/// <param name="Fix">What to do; absent: nothing.</param>
internal sealed record Finding(string Subject, Verdict Verdict, string What, string? Fix = null);

internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Well,

    /// <summary>It works, and may hurt one day.</summary>
    Doubtful,

    /// <summary>Something won't work.</summary>
    Wrong,
}
