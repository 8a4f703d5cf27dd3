using System.CommandLine;

namespace Wunderproxy.Controller.Cli;

/// <summary>Settings as options of a command. Their values stay texts, so that those of all places are checked alike.</summary>
internal sealed class SettingOptions
{
    private readonly IReadOnlyList<(Setting Setting, Option Option)> _options;

    private SettingOptions(IReadOnlyList<Setting> settings) => _options = [.. settings.Select(setting => (setting, OptionOf(setting)))];

    /// <summary>Adds the settings to a command.</summary>
    public static SettingOptions AddTo(Command command, IReadOnlyList<Setting> settings)
    {
        var options = new SettingOptions(settings);
        foreach (var (_, option) in options._options)
        {
            command.Add(option);
        }

        return options;
    }

    /// <summary>A reader of what the command line sets, and of the weaker places.</summary>
    public SettingReader Reader(ParseResult parsed, CommandContext context)
    {
        var given = _options.Where(entry => parsed.GetResult(entry.Option) is { Implicit: false })
            .ToDictionary(entry => entry.Setting, entry => TextOf(parsed, entry.Option));
        return new SettingReader(given, context.Environment);
    }

    private static string TextOf(ParseResult parsed, Option option) => option switch
    {
        Option<bool> flag => parsed.GetValue(flag) ? "true" : "false",
        _ => parsed.GetRequiredValue((Option<string>)option),
    };

    // Only an option that is known to be true or false leaves an argument behind it alone.
    private static Option OptionOf(Setting setting) => setting.IsSwitch
        ? new Option<bool>(setting.Option) { Description = Describe(setting) }
        : new Option<string>(setting.Option) { Description = Describe(setting), HelpName = setting.ValueName };

    private static string Describe(Setting setting)
    {
        var byDefault = setting.Default is { Length: > 0 } text && !setting.IsSwitch ? $" [default: {text}]" : "";
        return $"{setting.Meaning}{byDefault} [env: {setting.Variable}]";
    }
}
