using System.CommandLine;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy abort</c> and <c>retry</c>: for what is under way on a host, and for what failed there.</summary>
internal static class WithdrawalCommands
{
    private const string AbortExamples = """
        Examples:
          wunderproxy abort                       what serves, serves on; what was begun is removed
          wunderproxy abort --host web2:8001

        current.json is left as it is: a release that it names isn't tried again on that host until current.json changes, or wunderproxy retry.
        """;

    private const string RetryExamples = """
        Examples:
          wunderproxy retry                       once the registry is back, say
        """;

    public static Command DefineAbort(CommandContext context)
    {
        var command = new ExplainedCommand("abort", "Withdraws every deployment that is under way on a host.", AbortExamples);
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await new PromptOrder<AbortStatus>("abort", (api, token) => api.AbortAsync(token), JsonLines.Format.AbortStatus, LinesOf).RunAsync(settings, context, cancellationToken)
            : ExitCode.Usage));
        return command;
    }

    public static Command DefineRetry(CommandContext context)
    {
        var command = new ExplainedCommand("retry", "Tries the latest deployment of a host again, which failed or was withdrawn.", RetryExamples);
        var options = OperatorOptions.AddFollowingTo(command);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await OrderCommands.RunAsync("retry", settings, (api, token) => api.RetryAsync(token), context, cancellationToken)
            : ExitCode.Usage));
        return command;
    }

    private static IEnumerable<Line> LinesOf(AbortStatus status) =>
        status.Withdrawn.Select(deployment => new Line($"{deployment.Kind} of {Words.Name(deployment.Revision, deployment.Hash)} was withdrawn; what serves, serves on."));
}
