using System.Globalization;
using Wunderproxy.Contracts;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>What runs in a simulated container: one of the few shell scripts of the conformance suite, or an application of the simulation.</summary>
/// <remarks>
/// <para>Of a shell it knows <c>sleep</c>, <c>echo</c>, <c>printf</c>, <c>exit</c>, <c>trap</c> and an endless loop; one that doubles a variable takes ever more memory.</para>
/// <para>
/// An application is a line such as <c>/app ready=300ms exits=2s code=7 stop=1s</c>: it listens after 300 ms, ends by itself after two seconds with code 7, and needs a second
/// to end when it is told to. <c>unhealthy</c>: it answers its health check with 503. <c>deaf</c>: it doesn't end when it is told to.
/// </para>
/// </remarks>
internal sealed record SimulatedProgram
{
    private SimulatedProgram()
    {
    }

    /// <summary>From the start until it listens; absent: it never does.</summary>
    public TimeSpan? ListensAfter { get; private init; }

    /// <summary>Whether it answers its health check with 200 once it listens.</summary>
    public bool IsHealthy { get; private init; } = true;

    /// <summary>From the start until it ends by itself; absent: it doesn't.</summary>
    public TimeSpan? EndsAfter { get; private init; }

    public int ExitCode { get; private init; }

    /// <summary>Whether it grows until it has no memory any more.</summary>
    public bool TakesAllMemory { get; private init; }

    /// <summary>From its stop signal until it ends; absent: it doesn't mind the signal.</summary>
    public TimeSpan? StopsAfter { get; private init; }

    /// <summary>What it prints, and when after the start.</summary>
    public IReadOnlyList<(TimeSpan After, string Line)> Output { get; private init; } = [];

    /// <summary>The program of a command; <see langword="null"/> if the image has no such executable.</summary>
    public static SimulatedProgram? Of(string[] command) => command switch
    {
        ["/bin/sh", "-c", var script] => Shell(script),
        ["/app", .. var arguments] => Application(arguments),
        _ => null,
    };

    private static SimulatedProgram Application(IEnumerable<string> arguments)
    {
        var application = new SimulatedProgram { ListensAfter = TimeSpan.Zero, StopsAfter = TimeSpan.FromMilliseconds(50), Output = [(TimeSpan.Zero, "starting")] };
        foreach (var argument in arguments)
        {
            application = argument.Split('=') switch
            {
                ["ready", var after] => application with { ListensAfter = DurationOf(after) },
                ["exits", var after] => application with { EndsAfter = DurationOf(after), ExitCode = 1 },
                ["stop", var after] => application with { StopsAfter = DurationOf(after) },
                ["unhealthy"] => application with { IsHealthy = false },
                ["deaf"] => application with { StopsAfter = null },
                _ => throw new ArgumentException($"The application knows no {argument}."),
            };
        }

        return application;
    }

    private static TimeSpan DurationOf(string text) => Duration.TryParse(text, out var duration) ? duration : throw new ArgumentException($"{text} is no duration.");

    private static SimulatedProgram Shell(string script)
    {
        var program = new SimulatedProgram();
        var at = TimeSpan.Zero;
        foreach (var statement in script.Split(';', StringSplitOptions.TrimEntries))
        {
            switch (statement.Split(' '))
            {
                case ["sleep", var seconds]:
                    at += TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
                    break;
                case ["echo" or "printf", var text, ..]:
                    program = program with { Output = [.. program.Output, (at, text)] };
                    break;
                case ["exit", var code]:
                    return program with { EndsAfter = at, ExitCode = int.Parse(code, CultureInfo.InvariantCulture) };
                case ["trap", "'exit", var code, "TERM"]:
                    program = program with { StopsAfter = TimeSpan.Zero, ExitCode = int.Parse(code.TrimEnd('\''), CultureInfo.InvariantCulture) };
                    break;
                case ["while", "true"]:
                    return program with { TakesAllMemory = script.Contains("$x$x", StringComparison.Ordinal) };
                default:
                    break;
            }
        }

        return program with { EndsAfter = at };
    }
}
