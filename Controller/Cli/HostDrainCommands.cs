using System.CommandLine;
using System.Text.Json;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Following;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy drain-host</c> and <c>undrain-host</c>: takes a whole host out of service for maintenance, and brings it back.</summary>
internal static class HostDrainCommands
{
    private const string DrainName = "drain-host";
    private const string UndrainName = "undrain-host";
    private const string UsualQuiet = "10s";

    private const string DrainExamples = """
        Examples:
          wunderproxy drain-host && reboot
          wunderproxy drain-host --timeout 5m --quiet 30s
          wunderproxy undrain-host

        The Proxy answers the health check's path (HealthCheck.Path) of each application with 503, and GET /readyz of the admin API does, so that load balancers take the host away. Everybody
        else is served as before, for as long as somebody comes: nothing fails, nothing is cut. A health check at / is a page like any other, and isn't touched.
        It holds for all applications of the host, through restarts of Controller, Proxy and host, until wunderproxy undrain-host.

        Exit codes: 0 nothing runs there any more   85 somebody has brought it back   86 something still runs or comes, and the time is over   87 host not reached
        """;

    private const string UndrainExamples = """
        Examples:
          wunderproxy undrain-host
        """;

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    // The Controller looks at the Proxy every two seconds.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command DefineDrain(CommandContext context)
    {
        var quiet = new Option<string>("--quiet") { HelpName = "DURATION", Description = "For how long nobody must have come until the host counts as idle", DefaultValueFactory = _ => UsualQuiet };
        var command = new ExplainedCommand(DrainName, "Takes a whole host out of service: load balancers are told, whoever comes is served, until nothing runs there any more.", DrainExamples);
        var options = OperatorOptions.AddFollowingTo(command);
        command.Add(quiet);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await DrainAsync(settings, parsed.GetValue(quiet)!, context, cancellationToken)
            : ExitCode.Usage));
        return command;
    }

    public static Command DefineUndrain(CommandContext context)
    {
        var command = new ExplainedCommand(UndrainName, "Brings a host back into service.", UndrainExamples);
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await Order(UndrainName, isDrained: false, "The host is in service: its health checks are answered by the applications.").RunAsync(settings, context, cancellationToken)
            : ExitCode.Usage));
        return command;
    }

    private static PromptOrder<HostDrainStatus> Order(string command, bool isDrained, string text) =>
        new(command, (api, token) => api.SetHostDrainAsync(isDrained, token), JsonLines.Format.HostDrainStatus, _ => text);

    private static async Task<ExitCode> DrainAsync(OperatorSettings settings, string quiet, CommandContext context, CancellationToken cancellationToken)
    {
        TimeSpan pause;
        try
        {
            pause = SettingParsers.Between(TimeSpan.Zero, Longest)(quiet);
        }
        catch (SettingException e)
        {
            return RunCommand.Refuse(DrainName, [$"--quiet '{quiet}' {e.Message}"], context);
        }

        var ordered = await Order(DrainName, isDrained: true, "The host is out of service: load balancers are told that it isn't ready, and whoever comes is served.").RunAsync(settings, context, cancellationToken);
        return ordered == ExitCode.Ok && settings.Waits ? await FollowAsync(settings, pause, context, cancellationToken) : ordered;
    }

    private static async Task<ExitCode> FollowAsync(OperatorSettings settings, TimeSpan quiet, CommandContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await FollowToEndAsync(settings, quiet, context, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Lines.EndPassing();
            await context.Error.WriteLineAsync($"wunderproxy {DrainName}: interrupted; the host stays out of service. wunderproxy {UndrainName} brings it back.");
            return ExitCode.Interrupted;
        }
        catch (AdminException e)
        {
            return Failures.Report(DrainName, e, context);
        }
    }

    private static async Task<ExitCode> FollowToEndAsync(OperatorSettings settings, TimeSpan quiet, CommandContext context, CancellationToken cancellationToken)
    {
        var began = context.Time.GetTimestamp();
        var follower = new HostDrainFollower(settings.Host.Name, quiet);
        using var api = settings.Order(context);
        while (true)
        {
            var news = await LookAsync(api, follower, cancellationToken);
            if (news.End is null && context.Time.GetElapsedTime(began) >= settings.Timeout)
            {
                news = follower.GiveUp(settings.Timeout);
            }

            Tell(news, settings.IsJson, context);
            if (news.End is { } end)
            {
                return CodeOf(end);
            }

            await Task.Delay(Pause, context.Time, cancellationToken);
        }
    }

    private static async Task<HostDrainNews> LookAsync(AdminApiClient api, HostDrainFollower follower, CancellationToken cancellationToken)
    {
        try
        {
            return follower.Take(await api.GetStatusAsync(cancellationToken));
        }
        catch (AdminException e) when (e.Fault == AdminFault.Unreachable)
        {
            return follower.Miss(e.Message);
        }
    }

    private static void Tell(HostDrainNews news, bool isJson, CommandContext context)
    {
        if (isJson)
        {
            context.Output.WriteLine(JsonSerializer.Serialize(news, JsonLines.Format.HostDrainNews));
            context.Output.Flush();
        }
        else if (news.End is { } end)
        {
            context.Lines.Write([new Line(news.Message ?? "", end == HostDrainEnd.Idle ? Tone.Good : Tone.Bad)]);
        }
        else
        {
            context.Lines.Pass(HostDrainFollower.Describe(news), context.Width());
        }
    }

    private static ExitCode CodeOf(HostDrainEnd end) => end switch
    {
        HostDrainEnd.Idle => ExitCode.Ok,
        HostDrainEnd.Undrained => ExitCode.Superseded,
        HostDrainEnd.Unreachable => ExitCode.Unreachable,
        _ => ExitCode.TimedOut,
    };
}
