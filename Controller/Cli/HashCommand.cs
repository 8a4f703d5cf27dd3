using System.CommandLine;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy hash FILE</c>: the hash under which a document is published.</summary>
internal static class HashCommand
{
    private const string Examples = """
        Examples:
          wunderproxy hash shop.json
          sha256sum shop.json        the same digits
        """;

    public static Command Define(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "A launch configuration. Its exact bytes are hashed; they aren't checked." };
        var command = new ExplainedCommand("hash", "Prints the hash under which a launch configuration is published.", Examples) { file };
        command.SetAction(parsed => (int)Run(parsed.GetRequiredValue(file), context));
        return command;
    }

    private static ExitCode Run(string path, CommandContext context)
    {
        if (LaunchDocument.Read(path, context) is not { } document)
        {
            return ExitCode.NotFound;
        }

        context.Output.WriteLine(document.Hash);
        return ExitCode.Ok;
    }
}
