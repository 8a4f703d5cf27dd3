using System.CommandLine;

namespace Wunderproxy.Controller.Cli;

/// <summary>Where an application's documents are: BUCKET and PREFIX behind a command's own arguments, or two variables, which are those of the service's unit.</summary>
internal sealed class StoreArguments
{
    public const string BucketVariable = "WUNDERPROXY_BUCKET";
    public const string PrefixVariable = "WUNDERPROXY_PREFIX";

    private static readonly IReadOnlyList<Setting> Options = [RunOptions.S3Endpoint, RunOptions.S3PathStyle, RunOptions.Settings];

    private readonly Argument<string?> _bucket = new("BUCKET") { Description = $"{RunCommand.BucketMeaning} [env: {BucketVariable}]", Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> _prefix = new("PREFIX") { Description = $"{RunCommand.PrefixMeaning} [env: {PrefixVariable}]", Arity = ArgumentArity.ZeroOrOne };
    private readonly SettingOptions _options;

    private StoreArguments(Command command)
    {
        command.Add(_bucket);
        command.Add(_prefix);
        _options = SettingOptions.AddTo(command, Options);
    }

    /// <summary>Adds them to a command, behind the arguments that it has.</summary>
    public static StoreArguments AddTo(Command command) => new(command);

    /// <summary>What they say, or <see langword="null"/> once it was said what is wrong with them.</summary>
    public StoreSettings? Read(ParseResult parsed, CommandContext context)
    {
        var (bucket, prefix) = Given(parsed, context);
        var reader = _options.Reader(parsed, context);
        List<string> errors =
        [
            .. bucket is null ? [$"BUCKET is missing. Name an S3 bucket or a directory such as ./store, here or in {BucketVariable}."] : Array.Empty<string>(),
            .. prefix is null ? [$"PREFIX is missing. Name the prefix of the application's documents, such as shop, here or in {PrefixVariable}."] : Array.Empty<string>(),
        ];
        var settings = errors.Count == 0 ? StoreSettings.Read(reader, bucket!, prefix!) : null;
        errors.AddRange(reader.Errors);
        if (errors.Count == 0)
        {
            return settings;
        }

        RunCommand.Refuse(parsed.CommandResult.Command.FullName(), errors, context);
        return null;
    }

    /// <summary>Whether a bucket was named at all: some commands need one only for hashes.</summary>
    public bool AreGiven(ParseResult parsed, CommandContext context) => Given(parsed, context).Bucket is not null;

    private (string? Bucket, string? Prefix) Given(ParseResult parsed, CommandContext context) =>
        (parsed.GetValue(_bucket) ?? Variable(context, BucketVariable), parsed.GetValue(_prefix) ?? Variable(context, PrefixVariable));

    private static string? Variable(CommandContext context, string name) => context.Environment(name) is { Length: > 0 } value ? value : null;
}
