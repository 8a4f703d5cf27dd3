using System.CommandLine;
using Wunderproxy.Contracts.Admin;

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

    public static Command DefinePause(CommandContext context) =>
        Define("pause", "Makes the requests of a host wait.", PauseExamples, Pausing("pause", true, "Traffic is paused: requests wait until wunderproxy resume."), context);

    public static Command DefineResume(CommandContext context) =>
        Define("resume", "Lets requests go on after a pause.", ResumeExamples, Pausing("resume", false, "Traffic goes on."), context);

    public static Command DefineMaintenance(CommandContext context) => new ExplainedCommand("maintenance", "Shows the maintenance page on a host, or ends it.", MaintenanceExamples)
    {
        Define("up", "Answers every request with the maintenance page.", MaintenanceExamples, Maintaining("maintenance up", true, "Maintenance is up: requests get its page until wunderproxy maintenance down."), context),
        Define("down", "Ends maintenance.", MaintenanceExamples, Maintaining("maintenance down", false, "Maintenance is down: requests go to the application."), context),
    };

    private static PromptOrder<PauseStatus> Pausing(string command, bool isPaused, string text) =>
        new(command, (api, token) => api.SetPausedAsync(isPaused, token), JsonLines.Format.PauseStatus, _ => text);

    private static PromptOrder<MaintenanceStatus> Maintaining(string command, bool up, string text) =>
        new(command, (api, token) => api.SetMaintenanceAsync(up, token), JsonLines.Format.MaintenanceStatus, _ => text);

    private static ExplainedCommand Define<T>(string name, string description, string examples, PromptOrder<T> order, CommandContext context)
    {
        var command = new ExplainedCommand(name, description, examples);
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await order.RunAsync(settings, context, cancellationToken)
            : ExitCode.Usage));
        return command;
    }
}
