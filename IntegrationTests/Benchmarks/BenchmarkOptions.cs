using System.Globalization;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What is to be measured, and how often.</summary>
internal sealed record BenchmarkOptions
{
    private static readonly string[] All = ["deployments", "switch", "storm", "forwarding", "features", "slow", "idle", "commands"];

    public static string Usage { get; } = $"run.sh [{string.Join('|', All)}|all] [--rounds N] [--seconds S] [--only TEXT] [--access-log]";

    public required IReadOnlyList<string> Subjects { get; init; }

    /// <summary>Repetitions; absent: as many as the subject needs.</summary>
    public int? Rounds { get; private init; }

    /// <summary>Length of one measurement of forwarding, slow clients or idleness, in seconds; absent: as long as the subject needs.</summary>
    public int? Seconds { get; private init; }

    /// <summary>Whether all that forward write a line for each request.</summary>
    public bool AccessLog { get; private init; }

    /// <summary>Part of the titles of the kinds of traffic that are forwarded; absent: all kinds, and idle connections.</summary>
    public string? Only { get; private init; }

    /// <summary>Every run ends by then.</summary>
    public TimeSpan Deadline { get; } = TimeSpan.FromMinutes(90);

    /// <returns>Absent: the arguments aren't understood.</returns>
    public static BenchmarkOptions? Parse(string[] arguments)
    {
        var options = new BenchmarkOptions { Subjects = All };
        for (var i = 0; i < arguments.Length; i++)
        {
            var number = i + 1 < arguments.Length && int.TryParse(arguments[i + 1], CultureInfo.InvariantCulture, out var n) && n > 0 ? n : 0;
            switch (arguments[i])
            {
                case "--rounds" when number > 0:
                    options = options with { Rounds = number };
                    i++;
                    break;
                case "--seconds" when number > 0:
                    options = options with { Seconds = number };
                    i++;
                    break;
                case "--only" when i + 1 < arguments.Length:
                    options = options with { Only = arguments[++i] };
                    break;
                case "--access-log":
                    options = options with { AccessLog = true };
                    break;
                case "all":
                    break;
                case var subject when All.Contains(subject):
                    options = options with { Subjects = [subject] };
                    break;
                default:
                    return null;
            }
        }

        return options;
    }
}
