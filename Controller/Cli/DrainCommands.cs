using System.CommandLine;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy drain end</c> and <c>drain extend</c>: what still runs on replaced releases ends now, or gets more time.</summary>
internal static class DrainCommands
{
    private const string HashMeaning = "A replaced release, or the beginning of its hash [default: each one that drains].";
    private const string UsualExtension = "5m";
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    private const string Examples = """
        Examples:
          wunderproxy status                      shows what still runs on replaced releases
          wunderproxy drain extend --by 10m       gives all of it ten minutes more
          wunderproxy drain end 2f1c9e0a          cuts what is left on one; WebSockets are told to close first
        """;

    public static Command Define(CommandContext context) => new ExplainedCommand("drain", "Ends what still runs on replaced releases, or gives it more time.", Examples)
    {
        DefineEnd(context),
        DefineExtend(context),
    };

    private static ExplainedCommand DefineEnd(CommandContext context)
    {
        var hash = Hash();
        var command = new ExplainedCommand("end", "Cuts now what still runs on replaced releases.", Examples) { hash };
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            "drain end", options.Read(parsed, context), () => new DrainOrder { Hash = parsed.GetValue(hash), End = true }, context, cancellationToken));
        return command;
    }

    private static ExplainedCommand DefineExtend(CommandContext context)
    {
        var hash = Hash();
        var by = new Option<string>("--by") { HelpName = "DURATION", Description = "How much more time", DefaultValueFactory = _ => UsualExtension };
        var command = new ExplainedCommand("extend", "Gives what still runs on replaced releases more time.", Examples) { hash, by };
        var options = OperatorOptions.AddOrderTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(
            "drain extend", options.Read(parsed, context), () => new DrainOrder { Hash = parsed.GetValue(hash), Extend = ExtensionOf(parsed.GetValue(by)!) }, context, cancellationToken));
        return command;
    }

    private static Argument<string?> Hash() => new("HASH") { Description = HashMeaning, Arity = ArgumentArity.ZeroOrOne };

    private static TimeSpan ExtensionOf(string text)
    {
        try
        {
            return SettingParsers.Between(Shortest, Longest)(text);
        }
        catch (SettingException e)
        {
            throw new SettingException($"--by '{text}' {e.Message}");
        }
    }

    private static async Task<int> RunAsync(string command, OperatorSettings? settings, Func<DrainOrder> orderOf, CommandContext context, CancellationToken cancellationToken)
    {
        if (settings is null)
        {
            return (int)ExitCode.Usage;
        }

        DrainOrder order;
        try
        {
            order = orderOf();
        }
        catch (SettingException e)
        {
            return (int)RunCommand.Refuse(command, [e.Message], context);
        }

        return (int)(order.Hash is null || ContentHash.IsBeginning(order.Hash)
            ? await Order(command, order, context).RunAsync(settings, context, cancellationToken)
            : RunCommand.Refuse(command, [OrderCommands.NoHash(order.Hash)], context));
    }

    private static PromptOrder<DrainStatus> Order(string command, DrainOrder order, CommandContext context) =>
        new(command, (api, token) => api.LimitDrainAsync(order, token), JsonLines.Format.DrainStatus, drained => DrainText.Of(drained, order, context.Time.GetUtcNow()));
}
