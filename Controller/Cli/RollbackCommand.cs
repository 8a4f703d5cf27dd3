using System.CommandLine;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Following;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy rollback [HASH]</c>: a switch to the release that served before.</summary>
internal static class RollbackCommand
{
    private const string Examples = """
        Examples:
          wunderproxy rollback                    to the release that served before: at once where it is still warm
          wunderproxy rollback 2f1c9e0a           to another one

        It holds on that host until current.json changes next. Every host goes back by: wunderproxy deploy HASH BUCKET PREFIX
        """;

    public static Command Define(CommandContext context)
    {
        var hash = new Argument<string?>("HASH") { Description = "The release to go back to, or the beginning of its hash [default: the one that served before].", Arity = ArgumentArity.ZeroOrOne };
        var command = new ExplainedCommand("rollback", "Moves a host's traffic back to the former release, until current.json changes.", Examples) { hash };
        var options = OperatorOptions.AddFollowingTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("rollback", context, async () =>
        {
            var given = parsed.GetValue(hash);
            if (options.Read(parsed, context) is not { } settings)
            {
                return ExitCode.Usage;
            }

            return given is null || ContentHash.IsBeginning(given)
                ? await RunAsync(given, settings, context, cancellationToken)
                : RunCommand.Refuse("rollback", [OrderCommands.NoHash(given)], context);
        }, cancellationToken));
        return command;
    }

    private static async Task<ExitCode> RunAsync(string? given, OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        var hash = given ?? await FormerAsync(settings, context, cancellationToken);
        return await OrderCommands.RunAsync("rollback", settings, (api, token) => api.SwitchAsync(hash, token), context, cancellationToken);
    }

    private static async Task<string> FormerAsync(OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Order(context);
        var status = await api.GetStatusAsync(cancellationToken);
        var former = FormerRelease.Of(status)
            ?? throw new SettingException($"no former release is known at {settings.Host}. Name one: wunderproxy rollback HASH; wunderproxy history lists what was deployed.");
        if (!settings.IsJson)
        {
            var serving = status.Releases.FirstOrDefault(release => release.Hash == status.Active);
            context.Lines.Write([new Line($"From {Words.Name(serving?.Revision, status.Active)} back to {Words.Name(former.Revision, former.Hash)}. It {former.State}.")]);
        }

        return former.Hash;
    }
}
