using System.CommandLine;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy canary SHARE</c>: how many of a host's clients get the release that stands by.</summary>
internal static class CanaryCommand
{
    private const string Name = "canary";

    private const string Examples = """
        Examples:
          wunderproxy launch 2f1c9e0a             starts it and checks it, without traffic
          wunderproxy canary 10%                  a tenth of the clients get it, always the same ones
          wunderproxy canary off                  they go back to the active release
          wunderproxy switch 2f1c9e0a             all traffic goes there, and the canary is over

        wunderproxy status shows how both do.
        """;

    public static Command Define(CommandContext context)
    {
        var share = new Argument<string>("SHARE") { Description = "Whole percent of the clients, such as 10%, or off." };
        share.CompletionSources.Add("off", "1%", "5%", "10%", "25%", "50%");
        var command = new ExplainedCommand(Name, "Sends a share of a host's clients to the release that stands by, until the switch.", Examples) { share };
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (options.Read(parsed, context) is not { } settings)
                return (int)ExitCode.Usage;
            var given = parsed.GetRequiredValue(share);
            return (int)(Share.Parse(given) is { } percent
                ? await new PromptOrder<CanaryStatus>(Name, (api, token) => api.SetCanaryAsync(percent, token), JsonLines.Format.CanaryStatus, TextOf).RunAsync(settings, context, cancellationToken)
                : RunCommand.Refuse(Name, [$"SHARE '{given}' is no share of the clients. Write whole percent from 0 to 100, such as 10%, or off."], context));
        });
        return command;
    }

    private static string TextOf(CanaryStatus status) => status.Percent == 0
        ? "The canary is over: all clients go to the active release."
        : $"{Words.Percent(status.Percent)} of the clients go to release {Words.Short(status.Hash)}, which stands by, until wunderproxy canary off or the switch.";
}
