using System.CommandLine;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy validate FILE</c>: everything that is wrong with a launch configuration.</summary>
internal static class ValidateCommand
{
    private const string Examples = """
        Examples:
          wunderproxy validate shop.json                    shop.json: ok, and its hash
          wunderproxy validate --schema > wunderproxy.schema.json
        """;

    public static Command Define(CommandContext context)
    {
        var file = new Argument<string?>("FILE") { Description = "A launch configuration.", Arity = ArgumentArity.ZeroOrOne };
        var schema = new Option<bool>("--schema") { Description = "Prints the JSON Schema of launch configurations, for editors." };
        var command = new ExplainedCommand("validate", "Finds everything that is wrong with a launch configuration.", Examples) { file, schema };
        command.SetAction(parsed => (int)Run(parsed.GetValue(file), parsed.GetValue(schema), context));
        return command;
    }

    private static ExitCode Run(string? path, bool wantsSchema, CommandContext context)
    {
        if (wantsSchema)
        {
            context.Output.Write(LaunchConfigurationSchema.Text);
            return ExitCode.Ok;
        }

        if (path is null)
        {
            context.Error.WriteLine("wunderproxy validate: FILE is missing. Name a launch configuration, such as shop.json, or give --schema.");
            return ExitCode.Usage;
        }

        return LaunchDocument.Read(path, context) is { } document ? Check(document, context) : ExitCode.NotFound;
    }

    private static ExitCode Check(LaunchDocument document, CommandContext context)
    {
        if (document.Check(context) is null)
        {
            return ExitCode.InvalidDocument;
        }

        context.Output.WriteLine($"{document.Path}: ok {document.Hash}");
        return ExitCode.Ok;
    }
}
