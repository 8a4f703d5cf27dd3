using System.Globalization;
using System.Text.RegularExpressions;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What one run of wrk counted.</summary>
/// <param name="Requests">Answered requests.</param>
/// <param name="PerSecond">Of them, in a second.</param>
/// <param name="Failed">Answers other than 2xx and 3xx, and errors of sockets.</param>
internal sealed partial record Wrk(long Requests, double PerSecond, long Failed)
{
    /// <summary>One thread, as fast as requests are answered.</summary>
    /// <param name="address">What is asked for.</param>
    /// <param name="connections">Number of connections.</param>
    /// <param name="script">File with a Lua script that changes the requests.</param>
    /// <param name="duration">For how long.</param>
    public static async Task<Wrk> RunAsync(Uri address, int connections, string script, TimeSpan duration)
    {
        var seconds = ((int)duration.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return Parse(await Command.RunAsync(
            "wrk", ["-t1", $"-c{connections}", $"-d{seconds}s", "-s", script, address.ToString()], duration + TimeSpan.FromSeconds(20)));
    }

    private static Wrk Parse(string output) => new(
        (long)Number(RequestCount().Match(output)),
        Number(Rate().Match(output)),
        (long)Number(BadAnswers().Match(output)) + SocketErrors().Match(output).Groups.Values.Skip(1).Sum(g => g.Success ? long.Parse(g.Value, CultureInfo.InvariantCulture) : 0));

    private static double Number(Match match) => match.Success ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    // "  123456 requests in 4.00s, 12.30MB read"
    [GeneratedRegex(@"(\d+) requests in", RegexOptions.None, 1000)]
    private static partial Regex RequestCount();

    // "Requests/sec:  30864.00"
    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)", RegexOptions.None, 1000)]
    private static partial Regex Rate();

    // "  Non-2xx or 3xx responses: 12"
    [GeneratedRegex(@"Non-2xx or 3xx responses: (\d+)", RegexOptions.None, 1000)]
    private static partial Regex BadAnswers();

    // "  Socket errors: connect 0, read 1, write 0, timeout 2"
    [GeneratedRegex(@"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", RegexOptions.None, 1000)]
    private static partial Regex SocketErrors();
}
