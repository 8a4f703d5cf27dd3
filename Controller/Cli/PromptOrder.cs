using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary>An order that is done at once, so that there is nothing to follow.</summary>
/// <typeparam name="T">What the host answers.</typeparam>
/// <param name="Command">Full name of the command.</param>
/// <param name="Send">Orders it.</param>
/// <param name="Json">The answer for programs: a line, as the host gave it.</param>
/// <param name="Text">The answer for people.</param>
internal sealed record PromptOrder<T>(string Command, Func<AdminApiClient, CancellationToken, Task<T>> Send, JsonTypeInfo<T> Json, Func<T, IEnumerable<Line>> Text)
{
    public PromptOrder(string command, Func<AdminApiClient, CancellationToken, Task<T>> send, JsonTypeInfo<T> json, Func<T, string> text)
        : this(command, send, json, answer => [new Line(text(answer))])
    {
    }

    /// <summary>Gives the order, and says what it has come to.</summary>
    /// <param name="settings">Whom it is given, and how it is told.</param>
    /// <param name="context">The world around the process.</param>
    /// <param name="cancellationToken">Interrupts it.</param>
    public async Task<ExitCode> RunAsync(OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Order(context);
        try
        {
            Tell(await Send(api, cancellationToken), settings.IsJson, context);
            return ExitCode.Ok;
        }
        catch (AdminException e)
        {
            return Failures.Report(Command, e, context);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await context.Error.WriteLineAsync($"wunderproxy {Command}: interrupted before it was answered; wunderproxy status shows whether it was taken.");
            return ExitCode.Interrupted;
        }
    }

    private void Tell(T answer, bool isJson, CommandContext context)
    {
        if (isJson)
        {
            context.Output.WriteLine(JsonSerializer.Serialize(answer, Json));
        }
        else
        {
            context.Lines.Write(Text(answer));
        }
    }
}
