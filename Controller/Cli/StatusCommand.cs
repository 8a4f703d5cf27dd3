using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy status</c>: what runs on a host, what is being done, and what is not well.</summary>
internal static class StatusCommand
{
    private const string Examples = """
        Examples:
          wunderproxy status
          wunderproxy status --watch
          wunderproxy status --host web1:8001 | jq .Active
        """;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static Command Define(CommandContext context)
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Shows it anew each second until it is interrupted; also while the Controller is away." };
        var command = new ExplainedCommand("status", "Shows what serves on a host, what is wanted, what is being done and until when, and why something failed.", Examples) { watch };
        var options = OperatorOptions.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) => (int)(options.Read(parsed, context) is { } settings
            ? await RunAsync(settings, parsed.GetValue(watch), context, cancellationToken)
            : ExitCode.Usage));
        return command;
    }

    private static async Task<ExitCode> RunAsync(OperatorSettings settings, bool watches, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Ask(context);
        try
        {
            if (watches)
            {
                await WatchAsync(api, settings.IsJson, context, cancellationToken);
            }

            Show(await api.GetStatusBytesAsync(cancellationToken), api, settings.IsJson, context);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return watches ? ExitCode.Ok : ExitCode.Interrupted;
        }
        catch (AdminException e)
        {
            return Failures.Report("status", e, context);
        }
    }

    private static async Task WatchAsync(AdminApiClient api, bool isJson, CommandContext context, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var status = await api.GetStatusBytesAsync(cancellationToken);
                context.Lines.BeginScreen();
                Show(status, api, isJson, context);
            }
            catch (AdminException e) when (e.Fault is AdminFault.Unreachable)
            {
                context.Lines.BeginScreen();
                await context.Error.WriteLineAsync($"wunderproxy status: {e.Message}");
            }

            await Task.Delay(Pause, context.Time, cancellationToken);
        }
    }

    private static void Show(byte[] status, AdminApiClient api, bool isJson, CommandContext context)
    {
        if (isJson)
        {
            context.Output.WriteLine(OneLine(status));
            context.Output.Flush();
        }
        else
        {
            context.Lines.Write(StatusText.Of(api.ReadStatus(status), api.Address.Name));
        }
    }

    // As the Controller sent it, with what a later version has added.
    private static string OneLine(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var line = new ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            document.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(line.WrittenSpan);
    }
}
