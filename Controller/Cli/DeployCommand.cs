using System.CommandLine;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Following;
using Wunderproxy.Controller.Reporting;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy deploy FILE BUCKET PREFIX</c>: publishes a launch configuration as the one that every host should run, and follows hosts until it serves.</summary>
internal static class DeployCommand
{
    private const string Examples = """
        Examples:
          wunderproxy deploy shop.json deployments shop
          wunderproxy deploy shop.json deployments shop --host web1 --host web2
          wunderproxy deploy 2f1c9e0a deployments shop      once more what was published before
          wunderproxy deploy shop.json ./store shop --no-wait

        Interrupted by Ctrl-C, the deployment goes on: wunderproxy status --watch follows it.

        Exit codes:
          0 it serves   65 not valid   66 no such file, bucket or hash   69 store not reached   77 refused, or another deployment came first
          83 the release failed   84 rolled back on probation   85 superseded   86 not ended in time   87 host not reached
        """;

    // An answer is at hand in the Controller; a longer silence is told, and asked again.
    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(5);

    public static Command Define(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = DocumentSource.Meaning };
        var probation = new Option<bool>("--probation") { Description = "Follows it until its probation is over, too, so that a rollback is told." };
        var command = new ExplainedCommand("deploy", "Publishes a launch configuration for every host, and follows hosts until it serves.", Examples) { file };
        var store = StoreArguments.AddTo(command);
        var options = OperatorOptions.AddFollowingTo(command, takesMany: true);
        command.Add(probation);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (store.Read(parsed, context) is not { } documents || options.Read(parsed, context) is not { } settings)
            {
                return (int)ExitCode.Usage;
            }

            var deploy = new Deploy(documents, settings, parsed.GetValue(probation), context);
            return (int)await deploy.RunAsync(parsed.GetRequiredValue(file), cancellationToken);
        });
        return command;
    }

    /// <summary>One deployment.</summary>
    private sealed class Deploy(StoreSettings documents, OperatorSettings settings, bool throughProbation, CommandContext context)
    {
        private readonly FollowReport _report = new(settings.IsJson, settings.Hosts.Count > 1, context);
        private string? _hash;

        public async Task<ExitCode> RunAsync(string name, CancellationToken cancellationToken)
        {
            AdminApiClient[] hosts = [.. settings.Hosts.Select(host => new AdminApiClient(host, AskLimit, context.Time))];
            try
            {
                return await RunAsync(name, hosts, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                context.Lines.EndPassing();
                await context.Error.WriteLineAsync($"wunderproxy deploy: interrupted. {Interrupted()}");
                return ExitCode.Interrupted;
            }
            catch (AdminException e)
            {
                await context.Error.WriteLineAsync("wunderproxy deploy: nothing was published; --no-wait publishes without asking a host.");
                return Failures.Report("deploy", e, context);
            }
            catch (Exception e) when (Failures.IsForeseen(e))
            {
                return Failures.Report("deploy", e, context);
            }
            finally
            {
                Array.ForEach(hosts, host => host.Dispose());
            }
        }

        private async Task<ExitCode> RunAsync(string name, AdminApiClient[] hosts, CancellationToken cancellationToken)
        {
            var store = documents.OpenExisting(context.Time);
            var source = new DocumentSource(store, documents.Prefix);
            var document = await source.ReadAsync(name, cancellationToken);
            if (document.Check(context) is not { } configuration)
            {
                return ExitCode.InvalidDocument;
            }

            var publication = new Publication(store, documents.Prefix, context.Time);
            var replaced = await publication.ReadCurrentAsync(cancellationToken);

            // Before anything is written: whoever can't be asked can't be followed.
            var before = settings.Waits ? await Task.WhenAll(hosts.Select(host => host.GetStatusAsync(cancellationToken))) : [];
            var change = await Change.OfAsync(document, configuration, before.FirstOrDefault(), hosts[0].Address.Name, source, cancellationToken);
            Show(change);

            await publication.WriteAsync(document, cancellationToken);
            var etag = await publication.MakeCurrentAsync(document, replaced, configuration.Revision, Publication.Publisher, cancellationToken);
            _hash = document.Hash;
            ShowPublished(document, configuration, store);
            return settings.Waits ? await FollowAsync(document, etag, hosts, before, publication, cancellationToken) : ExitCode.Ok;
        }

        private async Task<ExitCode> FollowAsync(
            LaunchDocument document, string etag, AdminApiClient[] hosts, StatusDocument[] before, Publication publication, CancellationToken cancellationToken)
        {
            var goal = new FollowGoal.Published(document.Hash, etag);
            (AdminApiClient, HostFollower)[] followed = [.. hosts.Zip(before, (host, status) => (host, new HostFollower(host.Address.Name, goal, status, throughProbation)))];
            var end = await new Follow(_report.Tell, _report.Wait, context.Time).RunAsync(followed, settings.Timeout, cancellationToken);
            if (end is FollowEnd.Superseded)
            {
                _report.Say($"current.json is {await publication.WinnerAsync(cancellationToken)}.");
            }

            return Failures.CodeOf(end);
        }

        private void Show(Change change)
        {
            if (settings.IsJson)
            {
                context.Output.WriteLine(ChangeLine.Of(change.Former?.Hash, change.Document.Hash, change.Differences));
            }
            else
            {
                context.Lines.Write([.. change.Lines(), Line.Empty]);
            }
        }

        private void ShowPublished(LaunchDocument document, LaunchConfiguration configuration, IObjectStore store)
        {
            if (settings.IsJson)
            {
                context.Output.WriteLine(PublishedLine.Of(document.Hash, configuration.Revision));
            }
            else
            {
                _report.Say($"Published {Words.Name(configuration.Revision, document.Hash)} in {store.Description}; {documents.Prefix}/current.json names it.");
            }
        }

        private string Interrupted() => _hash is null
            ? "Nothing was published, or only the document itself: no host deploys it."
            : $"{Words.Short(_hash)} is published and goes on. wunderproxy status --watch follows it; deploying another configuration takes its place, and so does wunderproxy switch HASH on one host.";
    }
}
