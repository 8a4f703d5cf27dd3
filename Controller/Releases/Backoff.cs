namespace Wunderproxy.Controller.Releases;

/// <summary>Growing, capped delays.</summary>
internal static class Backoff
{
    /// <summary>Before the active release is started again after its <paramref name="crashes"/>th crash in a row: 0, 1, 2, 4 … 60 s.</summary>
    public static TimeSpan OfCrash(int crashes) => crashes <= 1 ? TimeSpan.Zero : Doubled(TimeSpan.FromSeconds(1), crashes - 2, TimeSpan.FromSeconds(60));

    /// <summary>Before a release that is on its way and was ready once is started again.</summary>
    public static TimeSpan OfAttempt(int attempts) => Doubled(TimeSpan.FromMilliseconds(250), attempts - 1, TimeSpan.FromSeconds(60));

    /// <summary>Before an effect is tried again that failed for a reason outside the release.</summary>
    /// <param name="failures">In a row, from 1.</param>
    /// <param name="jitter">From 0 to 1; spreads the delay over ± 20 %.</param>
    public static TimeSpan OfEffect(int failures, double jitter) =>
        Doubled(TimeSpan.FromSeconds(1), failures - 1, TimeSpan.FromSeconds(60)) * (0.8 + (0.4 * jitter));

    private static TimeSpan Doubled(TimeSpan first, int doublings, TimeSpan cap) =>
        new[] { first * Math.Pow(2, Math.Min(doublings, 20)), cap }.Min();
}
