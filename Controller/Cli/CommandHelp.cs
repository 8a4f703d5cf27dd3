using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Wunderproxy.Controller.Cli;

/// <summary>A command whose help ends with examples.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">What it does, in a sentence.</param>
/// <param name="examples">What to show after its options, in lines.</param>
internal sealed class ExplainedCommand(string name, string description, string examples) : Command(name, description)
{
    public string Examples { get; } = examples;
}

/// <summary>Names of commands.</summary>
internal static class CommandName
{
    /// <summary>The name as it is typed behind <c>wunderproxy</c>, such as <c>maintenance up</c>.</summary>
    public static string FullName(this Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault(parent => parent is not RootCommand) is { } parent ? $"{parent.FullName()} {command.Name}" : command.Name;
}

/// <summary>The usual help, then the command's examples.</summary>
internal sealed class CommandHelp(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is ExplainedCommand { Examples: var examples })
        {
            parseResult.InvocationConfiguration.Output.WriteLine(examples);
        }

        return (int)ExitCode.Ok;
    }
}
