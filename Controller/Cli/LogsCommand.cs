using System.CommandLine;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy logs</c>: what the container of a release writes, from the engine of this host.</summary>
internal static class LogsCommand
{
    private const string Examples = """
        Examples:
          wunderproxy logs                        the last lines of what serves
          wunderproxy logs --follow
          wunderproxy logs --release 2f1c9e0a --tail 1000

        They come from the Docker Engine, so this runs on the host itself, by a user who may speak to the engine.
        """;

    private const int UsualTail = 100;
    private static readonly IReadOnlyList<Setting> Options = [RunOptions.Docker, RunOptions.Settings];

    public static Command Define(CommandContext context)
    {
        var release = new Option<string?>("--release") { HelpName = "HASH", Description = "The release, by its hash or the beginning of it [default: the one that serves]" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Goes on as more is written, until it is interrupted." };
        var tail = new Option<int>("--tail") { HelpName = "NUMBER", Description = "How many lines of what was written before", DefaultValueFactory = _ => UsualTail };
        var command = new ExplainedCommand("logs", "Shows what the container of a release writes.", Examples) { release, follow, tail };
        var settings = SettingOptions.AddTo(command, Options);
        var options = OperatorOptions.AddTo(command, hasJson: false);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("logs", context, async () =>
        {
            var reader = settings.Reader(parsed, context);
            var engine = reader.Required(RunOptions.Docker, SettingParsers.EngineAddress);
            if (reader.Errors.Count > 0)
            {
                return RunCommand.Refuse("logs", reader.Errors, context);
            }

            return options.Read(parsed, context) is { } asked
                ? await RunAsync(asked, engine!, parsed.GetValue(release), parsed.GetValue(tail), parsed.GetValue(follow), context, cancellationToken)
                : ExitCode.Usage;
        }, cancellationToken));
        return command;
    }

    /// <summary>The container of a release; of several that begin so, the first in the status, which is the one that serves.</summary>
    /// <exception cref="SettingException">There is none.</exception>
    public static string ContainerOf(StatusDocument status, string? hash)
    {
        var wanted = hash ?? status.Active ?? throw new SettingException("no release serves there. Name one by --release; wunderproxy status lists them.");
        var found = ContentHash.IsBeginning(wanted) ? status.Releases.FirstOrDefault(release => release.Hash.StartsWith(wanted, StringComparison.Ordinal)) : null;
        return found?.ContainerId ?? throw new SettingException(found is null
            ? $"no release begins with {wanted} there. wunderproxy status lists them."
            : $"{Words.Name(found.Revision, found.Hash)} has no container any more{(found.Failure is null ? "" : "; wunderproxy status has the last lines of its log")}.");
    }

    private static async Task<ExitCode> RunAsync(
        OperatorSettings settings, string engine, string? hash, int tail, bool follows, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Ask(context);
        var container = ContainerOf(await api.GetStatusAsync(cancellationToken), hash);
        var docker = new DockerEngine(
            EngineEndpoint.Parse(engine),
            new RegistryCredentials(RegistryCredentials.DefaultDirectory, context.Time, NullLogger.Instance),
            new EngineDeadlines(),
            context.Time,
            NullLogger<DockerEngine>.Instance);
        await using var output = Console.OpenStandardOutput();
        await using var errors = Console.OpenStandardError();
        await docker.CopyLogAsync(container, tail, follows, output, errors, cancellationToken);
        return ExitCode.Ok;
    }
}
