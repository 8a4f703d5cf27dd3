using System.Globalization;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>How long the soak lasts, and what decides its course.</summary>
/// <param name="Length">Of the whole run, warm-up included.</param>
/// <param name="Seed">Of everything that is left to chance; the times of the machine are not.</param>
/// <param name="Results">Folder of what it writes.</param>
internal sealed record SoakOptions(TimeSpan Length, int Seed, string Results)
{
    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromMinutes(10);
    private const double WarmUpShare = 0.2;

    /// <summary>Nothing is compared with what was measured before: programs are compiled while they run, and caches fill.</summary>
    public TimeSpan WarmUp => Length * WarmUpShare < LongestWarmUp ? Length * WarmUpShare : LongestWarmUp;

    /// <summary>From the variables that run.sh sets.</summary>
    public static SoakOptions FromEnvironment() => new(
        TimeSpan.FromMinutes(double.Parse(Text("WUNDERPROXY_SOAK_MINUTES", "2"), CultureInfo.InvariantCulture)),
        int.Parse(Text("WUNDERPROXY_SOAK_SEED", "1"), CultureInfo.InvariantCulture),
        Text("WUNDERPROXY_SOAK_RESULTS", Directory.GetCurrentDirectory()));

    private static string Text(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;
}
