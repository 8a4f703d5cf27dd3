using System.CommandLine;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Comparing;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Reporting;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy plan</c>, <c>diff</c> and <c>history</c>: they read documents, and change nothing.</summary>
internal static class DocumentCommands
{
    private const string PlanExamples = """
        Examples:
          wunderproxy plan shop.json deployments shop
          wunderproxy plan shop.json deployments shop --host web1

        Values of environment variables and headers are compared and never shown.
        """;

    private const string DiffExamples = """
        Examples:
          wunderproxy diff shop.json shop-next.json
          wunderproxy diff current 2f1c9e0a deployments shop

        Values of environment variables and headers are compared and never shown.
        """;

    private const string HistoryExamples = """
        Examples:
          wunderproxy history deployments shop
          wunderproxy history deployments shop | jq -r .Hash
        """;

    private const int DefaultLimit = 20;

    public static Command DefinePlan(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = DocumentSource.Meaning };
        var command = new ExplainedCommand("plan", "Shows what a deployment of a launch configuration would change. Changes nothing.", PlanExamples) { file };
        var store = StoreArguments.AddTo(command);
        var options = OperatorOptions.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("plan", context, async () =>
            store.Read(parsed, context) is { } documents && options.Read(parsed, context) is { } settings
                ? await PlanAsync(parsed.GetRequiredValue(file), documents, settings, context, cancellationToken)
                : ExitCode.Usage, cancellationToken));
        return command;
    }

    public static Command DefineDiff(CommandContext context)
    {
        var before = new Argument<string>("A") { Description = DocumentSource.Meaning };
        var after = new Argument<string>("B") { Description = "The one that is compared with it, named likewise." };
        var command = new ExplainedCommand("diff", "Shows what two launch configurations don't have in common.", DiffExamples) { before, after };
        var store = StoreArguments.AddTo(command);
        var json = JsonOption.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("diff", context, async () =>
            SourceOf(parsed, store, context) is { } source
                ? await DiffAsync(parsed.GetRequiredValue(before), parsed.GetRequiredValue(after), source, json.Read(parsed, context), context, cancellationToken)
                : ExitCode.Usage, cancellationToken));
        return command;
    }

    public static Command DefineHistory(CommandContext context)
    {
        var limit = new Option<int>("--limit") { HelpName = "NUMBER", Description = "How many, the newest first", DefaultValueFactory = _ => DefaultLimit };
        var command = new ExplainedCommand("history", "Shows what was deployed, when and by whom, the newest first.", HistoryExamples);
        var store = StoreArguments.AddTo(command);
        command.Add(limit);
        var json = JsonOption.AddTo(command);
        command.SetAction((parsed, cancellationToken) => Failures.GuardAsync("history", context, async () =>
            store.Read(parsed, context) is { } documents
                ? await HistoryAsync(documents, parsed.GetValue(limit), json.Read(parsed, context), context, cancellationToken)
                : ExitCode.Usage, cancellationToken));
        return command;
    }

    /// <summary>Where documents come from, a store being needed for hashes only; <see langword="null"/> once it was said what is wrong.</summary>
    public static DocumentSource? SourceOf(ParseResult parsed, StoreArguments store, CommandContext context)
    {
        if (!store.AreGiven(parsed, context))
        {
            return new DocumentSource(null, "");
        }

        return store.Read(parsed, context) is { } documents ? new DocumentSource(documents.OpenExisting(context.Time), documents.Prefix) : null;
    }

    private static async Task<ExitCode> PlanAsync(string name, StoreSettings documents, OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        var source = new DocumentSource(documents.OpenExisting(context.Time), documents.Prefix);
        var document = await source.ReadAsync(name, cancellationToken);
        if (document.Check(context) is not { } configuration)
        {
            return ExitCode.InvalidDocument;
        }

        var (status, failure) = await AskAsync(settings, context, cancellationToken);
        var change = await Change.OfAsync(document, configuration, status, settings.Host.Name, source, cancellationToken);
        if (settings.IsJson)
        {
            await context.Output.WriteLineAsync(ChangeLine.Of(change.Former?.Hash, document.Hash, change.Differences));
            return ExitCode.Ok;
        }

        context.Lines.Write(change.Lines());
        context.Lines.Write(NotesOn(status, failure, document.Hash, settings.Host.Name));
        return ExitCode.Ok;
    }

    // A plan is made of the documents alone where no host can be asked.
    private static async Task<(StatusDocument? Status, AdminException? Failure)> AskAsync(OperatorSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        using var api = settings.Ask(context);
        try
        {
            return (await api.GetStatusAsync(cancellationToken), null);
        }
        catch (AdminException e)
        {
            return (null, e);
        }
    }

    private static IEnumerable<Line> NotesOn(StatusDocument? status, AdminException? failure, string hash, string host)
    {
        if (failure is not null)
        {
            yield return new Line($"Compared with the documents only: {failure.Message}", Tone.Faint);
        }

        if (status?.Pin is { } pin)
        {
            yield return new Line($"A switch holds {host} at {Words.Name(pin.Revision, pin.Hash)}; a changed current.json lifts it.");
        }

        if (status?.Releases.FirstOrDefault(release => release.Hash == hash)?.Failure is { } earlier)
        {
            yield return new Line($"It has failed at {host} before: {earlier.Message}", Tone.Bad);
        }
    }

    private static async Task<ExitCode> DiffAsync(string before, string after, DocumentSource source, bool isJson, CommandContext context, CancellationToken cancellationToken)
    {
        var (former, next) = (await source.ReadAsync(before, cancellationToken), await source.ReadAsync(after, cancellationToken));
        if (former.Check(context) is null | next.Check(context) is null)
        {
            return ExitCode.InvalidDocument;
        }

        var differences = ConfigurationDiff.Between(former.Bytes, next.Bytes);
        if (isJson)
        {
            await context.Output.WriteLineAsync(ChangeLine.Of(former.Hash, next.Hash, differences));
        }
        else
        {
            context.Lines.Write([new Line($"{Change.NameOf(next)} against {Change.NameOf(former)}", Tone.Strong), .. DiffText.Of(differences)]);
        }

        return ExitCode.Ok;
    }

    private static async Task<ExitCode> HistoryAsync(StoreSettings documents, int limit, bool isJson, CommandContext context, CancellationToken cancellationToken)
    {
        var store = documents.OpenExisting(context.Time);
        var current = await new DocumentSource(store, documents.Prefix).ReadCurrentAsync(cancellationToken);
        var entries = (await DeploymentHistory.ReadAsync(store, documents.Prefix, cancellationToken)).Entries.Reverse().Take(Math.Max(limit, 0)).ToList();
        if (isJson)
        {
            entries.ForEach(entry => context.Output.WriteLine(JsonSerializer.Serialize(entry, JsonLines.Format.HistoryEntry)));
        }
        else
        {
            context.Lines.Write(LinesOf(entries, current, $"{store.Description} under {documents.Prefix}/"));
        }

        return ExitCode.Ok;
    }

    private static IEnumerable<Line> LinesOf(List<HistoryEntry> entries, LaunchDocument? current, string place)
    {
        if (entries.Count == 0)
        {
            return [new Line($"Nothing was deployed yet: {place} has no history.")];
        }

        List<IReadOnlyList<string>> rows =
        [
            ["DEPLOYED", "BY", "REVISION", "HASH", ""],
            .. entries.Select((entry, number) => new[] { Words.Date(entry.DeployedAt), entry.DeployedBy ?? "", entry.Revision ?? "", Words.Short(entry.Hash), MarkOf(entry, number, current) }),
        ];
        return Columns.Align("", rows).Select((row, number) => new Line(row, number == 0 ? Tone.Faint : Tone.Plain));
    }

    // The Go tool's entries have another digest of the same bytes.
    private static string MarkOf(HistoryEntry entry, int number, LaunchDocument? current) =>
        number == 0 && current is not null ? ContentHash.Matches(entry.Hash, current.Bytes) ? "current.json" : "current.json is another" : "";
}
