using System.Globalization;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Reporting;

/// <summary>What people call what the status says.</summary>
internal static class Words
{
    /// <summary>Digits by which people tell hashes apart; commands take as many.</summary>
    public const int HashDigits = 12;

    /// <summary>The beginning of a hash.</summary>
    public static string Short(string? hash) => hash is null ? "" : hash[..Math.Min(hash.Length, HashDigits)];

    /// <summary>A release by its name and the beginning of its hash.</summary>
    public static string Name(string? revision, string? hash) => string.IsNullOrEmpty(revision) ? Short(hash) : $"{revision} ({Short(hash)})";

    /// <summary>A length of time in its two largest units: <c>250 ms</c>, <c>4.2 s</c>, <c>9m 58s</c>, <c>3h 12m</c>, <c>12d 3h</c>.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { Ticks: < 0 } => "0 s",
        { TotalMilliseconds: < 1_000 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms"),
        { TotalMinutes: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        { TotalHours: < 1 } => $"{span.Minutes}m {span.Seconds}s",
        { TotalDays: < 1 } => $"{span.Hours}h {span.Minutes}m",
        _ => $"{span.Days}d {span.Hours}h",
    };

    /// <summary>A time that is to come, by the host's own clock: <c>12:03:04Z, in 9m 58s</c>.</summary>
    public static string Until(DateTimeOffset at, DateTimeOffset now) =>
        at <= now ? $"{Clock(at)}, now" : $"{Clock(at)}, in {Span(at - now)}";

    /// <summary>A number of bytes in the unit that suits it: <c>512 B</c>, <c>4.2 MiB</c>.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB"),
        < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB"),
    };

    public static string Percent(int percent) => string.Create(CultureInfo.InvariantCulture, $"{percent} %");

    public static string Clock(DateTimeOffset at) => at.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Date(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>What a release does in a phase, continuing "the release …".</summary>
    public static string Of(ReleasePhase phase) => phase switch
    {
        ReleasePhase.Accepted => "is accepted; nothing is done yet",
        ReleasePhase.Pulling => "waits for its image",
        ReleasePhase.Creating => "gets its container",
        ReleasePhase.Starting => "starts",
        ReleasePhase.Verifying => "runs and isn't healthy yet",
        ReleasePhase.Standby => "is healthy and stands by, without traffic",
        ReleasePhase.Activating => "gets the traffic",
        ReleasePhase.Probation => "serves; the former release is still warm",
        ReleasePhase.Active => "serves",
        ReleasePhase.Recovering => "should serve, and is down or unhealthy",
        ReleasePhase.Draining => "is replaced; it finishes its requests, or is kept warm",
        ReleasePhase.Stopping => "is being stopped",
        ReleasePhase.Retained => "is stopped, and kept for a rollback",
        ReleasePhase.Removed => "is gone from this host",
        ReleasePhase.BackingOff => "failed, and waits before it is tried again",
        ReleasePhase.Rejected => "failed; it isn't tried again until somebody decides anew",
        ReleasePhase.Superseded => "is given up, because another one is wanted",
        _ => phase.ToString(),
    };
}
