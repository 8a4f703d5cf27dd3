using System.CommandLine;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Following;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy launch HASH</c> and <c>switch HASH</c>: orders to one host, followed to their end.</summary>
internal static class OrderCommands
{
    private const string HashMeaning = "Hash of a published launch configuration, or its first 4 or more digits where no other has them.";

    private const string LaunchExamples = """
        Examples:
          wunderproxy launch 2f1c9e0a             starts it and checks it, without traffic
          wunderproxy switch 2f1c9e0a             then moves the traffic

        A standby lasts until it is switched to, another one is launched in its place, or its time is up.
        """;

    private const string SwitchExamples = """
        Examples:
          wunderproxy switch 2f1c9e0a             starts and checks it first where it wasn't launched
          wunderproxy switch 2f1c9e0a --no-wait && wunderproxy status --watch

        It holds on that host until current.json changes next: the latest intent wins.
        """;

    public static Command DefineLaunch(CommandContext context) => Define(
        "launch", "Starts a release beside the one that serves and checks it, without traffic.", LaunchExamples, (api, hash, cancellationToken) => api.LaunchAsync(hash, cancellationToken), context);

    public static Command DefineSwitch(CommandContext context) => Define(
        "switch", "Moves a host's traffic to a release, until current.json changes.", SwitchExamples, (api, hash, cancellationToken) => api.SwitchAsync(hash, cancellationToken), context);

    public static string NoHash(string given) => $"HASH '{given}' is no hash. Write its lower-case hex digits, the first 4 at least, as wunderproxy status or wunderproxy history shows them.";

    /// <summary>Gives an order and follows what it has begun.</summary>
    public static async Task<ExitCode> RunAsync(
        string command, OperatorSettings settings, Func<AdminApiClient, CancellationToken, Task<DeploymentStatus>> order, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Order(context);
        DeploymentStatus? deployment = null;
        try
        {
            deployment = await order(api, cancellationToken);
            return await FollowAsync(api, deployment, settings, context, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Lines.EndPassing();
            await context.Error.WriteLineAsync(deployment is null
                ? $"wunderproxy {command}: interrupted before it was answered; wunderproxy status shows whether it was taken."
                : $"wunderproxy {command}: interrupted; {Words.Name(deployment.Revision, deployment.Hash)} goes on. wunderproxy status --watch follows it, wunderproxy abort withdraws it.");
            return ExitCode.Interrupted;
        }
        catch (AdminException e)
        {
            return Failures.Report(command, e, context);
        }
    }

    private static ExplainedCommand Define(
        string name, string description, string examples, Func<AdminApiClient, string, CancellationToken, Task<DeploymentStatus>> order, CommandContext context)
    {
        var hash = new Argument<string>("HASH") { Description = HashMeaning };
        var command = new ExplainedCommand(name, description, examples) { hash };
        var options = OperatorOptions.AddFollowingTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var given = parsed.GetRequiredValue(hash);
            if (options.Read(parsed, context) is not { } settings)
            {
                return (int)ExitCode.Usage;
            }

            return (int)(ContentHash.IsBeginning(given)
                ? await RunAsync(name, settings, (api, token) => order(api, given, token), context, cancellationToken)
                : RunCommand.Refuse(name, [NoHash(given)], context));
        });
        return command;
    }

    private static async Task<ExitCode> FollowAsync(
        AdminApiClient api, DeploymentStatus deployment, OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        var report = new FollowReport(settings.IsJson, namesHosts: false, context);
        report.Say($"{deployment.Kind} of {Words.Name(deployment.Revision, deployment.Hash)} at {api.Address}", Tone.Strong);
        if (!settings.Waits)
        {
            report.Say("It is accepted; wunderproxy status --watch follows it.");
            report.TellAccepted(api.Address.Name, deployment);
            return ExitCode.Ok;
        }

        var follower = new HostFollower(api.Address.Name, new FollowGoal.Ordered(deployment.Hash, deployment.Id));
        return Failures.CodeOf(await new Follow(report.Tell, report.Wait, context.Time).RunAsync([(api, follower)], settings.Timeout, cancellationToken));
    }
}
