using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary>The command line: its commands, and what is said where it can't be understood.</summary>
internal static class CommandLine
{
    // Longer than everything that a stopping Controller waits for.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    /// <summary>Does what the arguments say.</summary>
    /// <param name="arguments">What stands behind <c>wunderproxy</c>.</param>
    /// <param name="context">The world around the process.</param>
    /// <param name="cancellationToken">Interrupts it, as SIGINT and SIGTERM do.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, CommandContext context, CancellationToken cancellationToken = default)
    {
        var root = Build(context);
        var parsed = root.Parse(arguments);
        if (parsed.Action is ParseErrorAction)
        {
            return (int)Explain(parsed, context);
        }

        var invocation = new InvocationConfiguration
        {
            Output = context.Output,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = StopLimit,
        };
        try
        {
            return await parsed.InvokeAsync(invocation, cancellationToken);
        }
        catch (Exception e)
        {
            // Only what nobody foresaw comes here; its origin helps whoever reports it.
            await context.Error.WriteLineAsync($"wunderproxy: unexpected error: {e}");
            return (int)ExitCode.Unexpected;
        }
    }

    private static RootCommand Build(CommandContext context)
    {
        var root = new RootCommand("Deploys docker based applications on a host without ever failing a request.")
        {
            RunCommand.Define(context),
            DeployCommand.Define(context),
            DocumentCommands.DefinePlan(context),
            DocumentCommands.DefineDiff(context),
            DocumentCommands.DefineHistory(context),
            RollbackCommand.Define(context),
            StatusCommand.Define(context),
            ExplainCommand.Define(context),
            OrderCommands.DefineLaunch(context),
            OrderCommands.DefineSwitch(context),
            WithdrawalCommands.DefineAbort(context),
            WithdrawalCommands.DefineRetry(context),
            CanaryCommand.Define(context),
            TrafficCommands.DefinePause(context),
            TrafficCommands.DefineResume(context),
            TrafficCommands.DefineMaintenance(context),
            DrainCommands.Define(context),
            HostDrainCommands.DefineDrain(context),
            HostDrainCommands.DefineUndrain(context),
            ContentCommands.DefineImage(context),
            ContentCommands.DefineEnv(context),
            LogsCommand.Define(context),
            DoctorCommand.Define(context),
            PublishCommand.Define(context),
            ValidateCommand.Define(context),
            HashCommand.Define(context),
            CompletionCommand.Define(context),
        };
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new CommandHelp((HelpAction)help.Action!);
        }

        return root;
    }

    private static ExitCode Explain(ParseResult parsed, CommandContext context)
    {
        var command = parsed.CommandResult.Command;
        var name = command is RootCommand ? "wunderproxy" : $"wunderproxy {command.FullName()}";
        var unknown = parsed.UnmatchedTokens.OrderByDescending(token => token.StartsWith('-')).FirstOrDefault();
        var problems = unknown is null ? parsed.Errors.Select(error => error.Message) : [Unknown(unknown, command)];
        foreach (var problem in problems)
        {
            context.Error.WriteLine($"{name}: {problem}");
        }

        context.Error.WriteLine($"See: {name} --help");
        return ExitCode.Usage;
    }

    private static string Unknown(string token, Command command)
    {
        IEnumerable<string> known = token.StartsWith('-') ? command.Options.Select(option => option.Name) : command.Subcommands.Select(subcommand => subcommand.Name);
        var names = known.ToList();
        var hint = names.Count == 0 ? "" : $" Did you mean {NearestName.To(token, names)}?";
        return $"'{token}' is {(token.StartsWith('-') ? "no option" : "no command or one argument too many")} here.{hint}";
    }
}

/// <summary>What commands need of the world around the process.</summary>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
/// <param name="Environment">Looks up a variable of the environment.</param>
/// <param name="Time">The clock.</param>
/// <param name="Reconciler">Makes the reconciler of <c>run</c>.</param>
internal sealed record CommandContext(
    TextWriter Output, TextWriter Error, Func<string, string?> Environment, TimeProvider Time, Func<ControllerParts, IReconciler> Reconciler)
{
    public const int UsualWidth = 80;

    private LineWriter? _lines;

    /// <summary>Whether a person reads standard output.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Columns of the terminal.</summary>
    public Func<int> Width { get; init; } = () => UsualWidth;

    /// <summary>Standard output for people. Colours are left out where NO_COLOR says so (no-color.org).</summary>
    public LineWriter Lines => _lines ??= new LineWriter(Output, IsTerminal, IsTerminal && string.IsNullOrEmpty(Environment("NO_COLOR")) && Environment("TERM") != "dumb");
}
