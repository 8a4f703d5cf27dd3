using System.CommandLine;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy pause</c>, <c>resume</c>, <c>maintenance up</c> and <c>maintenance down</c>.</summary>
internal static class TrafficCommands
{
    private const string PauseExamples = """
        Examples:
          wunderproxy pause && ./migrate-database; wunderproxy resume

        Requests wait for Hold.Timeout at most; what runs goes on, and a deployment may happen meanwhile.
        """;

    private const string ResumeExamples = """
        Examples:
          wunderproxy resume
        """;

    private const string MaintenanceExamples = """
        Examples:
          wunderproxy maintenance up
          wunderproxy maintenance down --host unix:/run/wunderproxy/shop.sock
        """;

    public static Command DefinePause(CommandContext context) => Define(
        "pause", "Makes the requests of a host wait.", PauseExamples, (api, token) => api.SetPausedAsync(true, token), "Traffic is paused: requests wait until wunderproxy resume.", """{"Paused":true}""", context);

    public static Command DefineResume(CommandContext context) => Define(
        "resume", "Lets requests go on after a pause.", ResumeExamples, (api, token) => api.SetPausedAsync(false, token), "Traffic goes on.", """{"Paused":false}""", context);

    public static Command DefineMaintenance(CommandContext context) => new ExplainedCommand("maintenance", "Shows the maintenance page on a host, or ends it.", MaintenanceExamples)
    {
        Define("up", "Answers every request with the maintenance page.", MaintenanceExamples, (api, token) => api.SetMaintenanceAsync(true, token), "Maintenance is up: requests get its page until wunderproxy maintenance down.", """{"MaintenanceMode":true}""", context),
        Define("down", "Ends maintenance.", MaintenanceExamples, (api, token) => api.SetMaintenanceAsync(false, token), "Maintenance is down: requests go to the application.", """{"MaintenanceMode":false}""", context),
    };

    private static ExplainedCommand Define(
        string name, string description, string examples, Func<AdminApiClient, CancellationToken, Task> change, string text, string json, CommandContext context)
    {
        var command = new ExplainedCommand(name, description, examples);
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await RunAsync(command.FullName(), settings, ChangeAsync, context, cancellationToken)
            : ExitCode.Usage));
        return command;

        async Task<string> ChangeAsync(AdminApiClient api, OperatorSettings settings, CancellationToken token)
        {
            await change(api, token);
            return settings.IsJson ? json : text;
        }
    }

    /// <summary>Orders a change that is done at once, and says what it has come to.</summary>
    /// <param name="command">Name of the command.</param>
    /// <param name="settings">Whom it is ordered, and how it is told.</param>
    /// <param name="change">The order, which returns what is told.</param>
    /// <param name="context">The world around the process.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    public static async Task<ExitCode> RunAsync(
        string command, OperatorSettings settings, Func<AdminApiClient, OperatorSettings, CancellationToken, Task<string>> change, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Order(context);
        try
        {
            context.Lines.Write([new Line(await change(api, settings, cancellationToken))]);
            return ExitCode.Ok;
        }
        catch (AdminException e)
        {
            return Failures.Report(command, e, context);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await context.Error.WriteLineAsync($"wunderproxy {command}: interrupted before it was answered; wunderproxy status shows whether it was taken.");
            return ExitCode.Interrupted;
        }
    }
}
