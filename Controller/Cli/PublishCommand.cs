using System.CommandLine;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy publish FILE BUCKET PREFIX</c>: puts a launch configuration where the hosts find it.</summary>
internal static class PublishCommand
{
    private const string Examples = """
        Examples:
          wunderproxy publish shop.json ./store shop               then: wunderproxy launch HASH
          wunderproxy publish shop.json deployments shop --current every host deploys it; deploy follows it, too

        Credentials of S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the instance.
        """;

    private static readonly IReadOnlyList<Setting> StoreOptions = [RunOptions.S3Endpoint, RunOptions.S3PathStyle, RunOptions.Settings];

    public static Command Define(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "A launch configuration." };
        var bucket = new Argument<string>("BUCKET") { Description = RunCommand.BucketMeaning };
        var prefix = new Argument<string>("PREFIX") { Description = RunCommand.PrefixMeaning };
        var current = new Option<bool>("--current") { Description = "Makes it current.json too, which every host deploys, and notes it in history.json." };
        var command = new ExplainedCommand("publish", "Writes a launch configuration into the store and prints its hash.", Examples) { file, bucket, prefix, current };
        var options = SettingOptions.AddTo(command, StoreOptions);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var reader = options.Reader(parsed, context);
            var settings = StoreSettings.Read(reader, parsed.GetRequiredValue(bucket), parsed.GetRequiredValue(prefix));
            return (int)(reader.Errors.Count == 0
                ? await RunAsync(parsed.GetRequiredValue(file), settings, parsed.GetValue(current), context, cancellationToken)
                : RunCommand.Refuse("publish", reader.Errors, context));
        });
        return command;
    }

    private static async Task<ExitCode> RunAsync(
        string path, StoreSettings settings, bool makesCurrent, CommandContext context, CancellationToken cancellationToken)
    {
        if (LaunchDocument.Read(path, context) is not { } document)
        {
            return ExitCode.NotFound;
        }

        if (document.Check(context) is not { } configuration)
        {
            return ExitCode.InvalidDocument;
        }

        try
        {
            var publication = new Publication(settings.Open(context.Time), settings.Prefix, context.Time);
            await publication.WriteAsync(document, cancellationToken);
            if (makesCurrent)
            {
                var replaced = await publication.ReadCurrentAsync(cancellationToken);
                await publication.MakeCurrentAsync(document, replaced, configuration.Revision, Publication.Publisher, cancellationToken);
            }

            await context.Output.WriteLineAsync(document.Hash);
            return ExitCode.Ok;
        }
        catch (Exception e) when (e is StoreException or PublicationException)
        {
            return Failures.Report("publish", e, context);
        }
    }
}
