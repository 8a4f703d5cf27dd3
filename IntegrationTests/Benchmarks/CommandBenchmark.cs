using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>How long a user waits for a command that only asks, against a program that says hello and a command that asks nobody.</summary>
internal static class CommandBenchmark
{
    private const int DefaultRounds = 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        await using var application = await BenchedApplication.StartAsync(lab, "commands");
        var file = Path.Combine(lab.NewDirectory("documents"), "shop.json");
        await File.WriteAllTextAsync(file, """{ "ContainerConfig": { "Image": "shop" } }""", cancellationToken);
        string[] asking = ["--host", application.Api.Authority];
        (string Title, string Program, string[] Arguments)[] commands =
        [
            ("says hello (.NET, published alike)", Environment.GetEnvironmentVariable("HELLO") ?? throw new InvalidOperationException("HELLO is to name the program that says hello."), []),
            ("wunderproxy hash FILE", ControllerProcess.Executable, ["hash", file]),
            ("wunderproxy status, for programs", ControllerProcess.Executable, ["status", .. asking, "--json"]),
            ("wunderproxy status, for people", ControllerProcess.Executable, ["status", .. asking, "--json=false"]),
        ];
        var times = commands.Select(_ => new List<double>()).ToList();
        var rounds = options.Rounds ?? DefaultRounds;

        // The first round only brings the files into memory.
        for (var round = 0; round <= rounds; round++)
        {
            for (var i = 0; i < commands.Length; i++)
            {
                var began = TimeProvider.System.GetTimestamp();
                await Command.RunAsync(commands[i].Program, commands[i].Arguments, Deadline);
                if (round > 0)
                    times[i].Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
            }

            cancellationToken.ThrowIfCancellationRequested();
        }

        var table = new MarkdownTable($"Commands: from the start to the end of the process, ms, {rounds} rounds", "Command", "Median", "Spread");
        for (var i = 0; i < commands.Length; i++)
        {
            var figures = new Figures(times[i]);
            table.Row(commands[i].Title, figures.MedianText("0"), figures.Spread("0"));
        }

        return table.With("A Controller answers on the same host; nothing is deployed there.");
    }
}
