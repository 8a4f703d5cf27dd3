using System.CommandLine;
using System.Text.Json;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy explain</c>: why a host does what it does.</summary>
internal static class ExplainCommand
{
    private const string Examples = """
        Examples:
          wunderproxy explain                     why it waits, by which rule, and until when
          wunderproxy explain --host web1
        """;

    public static Command Define(CommandContext context)
    {
        var command = new ExplainedCommand("explain", "Explains what a host waits for, by which rule, and until when.", Examples);
        var options = OperatorOptions.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync(
            "explain", context, async () => options.Read(parsed, context) is { } settings ? await RunAsync(settings, context, cancellationToken) : ExitCode.Usage, cancellationToken));
        return command;
    }

    private static async Task<ExitCode> RunAsync(OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Ask(context);
        var status = await api.GetStatusAsync(cancellationToken);
        var explanation = Explanation.Of(status, await api.ExplainAsync(cancellationToken));
        if (settings.IsJson)
        {
            await context.Output.WriteLineAsync(JsonSerializer.Serialize(explanation, JsonLines.Format.Explanation));
        }
        else
        {
            context.Lines.Write(explanation.Lines(status.At, settings.Host.Name));
        }

        return ExitCode.Ok;
    }
}
