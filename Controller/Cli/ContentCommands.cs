using System.CommandLine;
using System.Text.Json;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Comparing;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy image WHICH</c> and <c>wunderproxy env WHICH</c>: what is in a launch configuration.</summary>
internal static class ContentCommands
{
    private const string ImageExamples = """
        Examples:
          wunderproxy image current deployments shop
          docker pull "$(wunderproxy image shop.json)"
        """;

    private const string EnvExamples = """
        Examples:
          wunderproxy env current deployments shop            names only
          wunderproxy env current deployments shop --reveal   as NAME=VALUE lines
        """;

    private const int UsualRegistryPort = 8080;

    public static Command DefineImage(CommandContext context)
    {
        var which = new Argument<string>("WHICH") { Description = DocumentSource.Meaning };
        var port = new Option<int>("--registry-port") { HelpName = "PORT", Description = "Port of the registry on localhost, for a configuration that names no image", DefaultValueFactory = _ => UsualRegistryPort };
        var application = new Option<string?>("--app") { HelpName = "NAME", Description = "Name of the application, likewise [default: the last part of PREFIX]" };
        var command = new ExplainedCommand("image", "Prints the image of a launch configuration.", ImageExamples) { which };
        var store = StoreArguments.AddTo(command);
        command.Add(port);
        command.Add(application);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("image", context, async () =>
        {
            if (DocumentCommands.SourceOf(parsed, store, context) is not { } source)
            {
                return ExitCode.Usage;
            }

            var name = parsed.GetValue(application) ?? source.Prefix.Split('/')[^1];
            return await ShowAsync(source, parsed.GetRequiredValue(which), configuration => ShowImage(configuration, parsed.GetValue(port), name, context), context, cancellationToken);
        }, cancellationToken));
        return command;
    }

    public static Command DefineEnv(CommandContext context)
    {
        var which = new Argument<string>("WHICH") { Description = DocumentSource.Meaning };
        var reveal = new Option<bool>("--reveal") { Description = "Shows the values, too. They may be secrets." };
        var command = new ExplainedCommand("env", "Prints the environment variables of a launch configuration, without their values.", EnvExamples) { which };
        var store = StoreArguments.AddTo(command);
        command.Add(reveal);
        var json = JsonOption.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("env", context, async () =>
            DocumentCommands.SourceOf(parsed, store, context) is { } source
                ? await ShowAsync(source, parsed.GetRequiredValue(which), configuration => ShowVariables(configuration, parsed.GetValue(reveal), json.Read(parsed, context), context), context, cancellationToken)
                : ExitCode.Usage, cancellationToken));
        return command;
    }

    private static async Task<ExitCode> ShowAsync(
        DocumentSource source, string which, Func<LaunchConfiguration, ExitCode> show, CommandContext context, CancellationToken cancellationToken) =>
        (await source.ReadAsync(which, cancellationToken)).Check(context) is { } configuration ? show(configuration) : ExitCode.InvalidDocument;

    private static ExitCode ShowImage(LaunchConfiguration configuration, int registryPort, string application, CommandContext context)
    {
        if (application.Length == 0 && string.IsNullOrEmpty(EngineObject.TextOf(configuration.ContainerConfig, "Image")))
        {
            return RunCommand.Refuse("image", ["The configuration names no image, so it is that of the application in the host's own registry. Name the application by --app."], context);
        }

        context.Output.WriteLine(configuration.ImageReference(registryPort, application));
        return ExitCode.Ok;
    }

    private static ExitCode ShowVariables(LaunchConfiguration configuration, bool reveals, bool isJson, CommandContext context)
    {
        var variables = EngineObject.ItemsOf(configuration.ContainerConfig, "Env").Select(item => (item.GetString() ?? "").Split('=', 2))
            .Select(parts => KeyValuePair.Create(parts[0], reveals ? parts.ElementAtOrDefault(1) ?? "" : ConfigurationDiff.Hidden)).ToList();
        if (isJson)
        {
            var byName = new Dictionary<string, string>(StringComparer.Ordinal);
            variables.ForEach(variable => byName[variable.Key] = variable.Value);
            context.Output.WriteLine(JsonSerializer.Serialize(byName, JsonLines.Format.DictionaryStringString));
        }
        else
        {
            context.Lines.Write(variables.Select(variable => new Line($"{variable.Key}={variable.Value}")));
        }

        return ExitCode.Ok;
    }
}
