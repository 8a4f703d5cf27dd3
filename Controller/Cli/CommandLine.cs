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
    /// <summary>Every command, by its name, in the order of the help.</summary>
    internal static IReadOnlyList<KnownCommand> Commands { get; } =
    [
        new("run", RunCommand.Define),
        new("deploy", DeployCommand.Define),
        new("plan", DocumentCommands.DefinePlan),
        new("diff", DocumentCommands.DefineDiff),
        new("history", DocumentCommands.DefineHistory),
        new("rollback", RollbackCommand.Define),
        new("status", StatusCommand.Define),
        new("explain", ExplainCommand.Define),
        new("launch", OrderCommands.DefineLaunch),
        new("switch", OrderCommands.DefineSwitch),
        new("abort", WithdrawalCommands.DefineAbort),
        new("retry", WithdrawalCommands.DefineRetry),
        new("canary", CanaryCommand.Define),
        new("pause", TrafficCommands.DefinePause),
        new("resume", TrafficCommands.DefineResume),
        new("maintenance", TrafficCommands.DefineMaintenance),
        new("drain", DrainCommands.Define),
        new("drain-host", HostDrainCommands.DefineDrain),
        new("undrain-host", HostDrainCommands.DefineUndrain),
        new("image", ContentCommands.DefineImage),
        new("env", ContentCommands.DefineEnv),
        new("logs", LogsCommand.Define),
        new("doctor", DoctorCommand.Define),
        new("publish", PublishCommand.Define),
        new("validate", ValidateCommand.Define),
        new("hash", HashCommand.Define),
        new("completion", CompletionCommand.Define),
    ];

    // Longer than everything that a stopping Controller waits for.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(15);

    /// <summary>Does what the arguments say.</summary>
    /// <param name="arguments">What stands behind <c>wunderproxy</c>.</param>
    /// <param name="context">The world around the process.</param>
    /// <param name="cancellationToken">Interrupts it, as SIGINT and SIGTERM do.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, CommandContext context, CancellationToken cancellationToken = default)
    {
        var root = Build(arguments, context);
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

    // One that is meant is made alone: all the others take as long as the call that it is about.
    private static RootCommand Build(string[] arguments, CommandContext context)
    {
        var root = new RootCommand("Deploys docker based applications on a host without ever failing a request.");
        var meant = Commands.FirstOrDefault(command => command.Name == arguments.FirstOrDefault());
        foreach (var command in meant is null ? Commands : [meant])
        {
            root.Add(command.Define(context));
        }

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

/// <summary>A command that isn't made yet.</summary>
/// <param name="Name">What stands behind <c>wunderproxy</c>.</param>
/// <param name="Define">Makes it.</param>
internal sealed record KnownCommand(string Name, Func<CommandContext, Command> Define);

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
