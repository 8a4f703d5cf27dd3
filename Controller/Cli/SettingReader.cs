namespace Wunderproxy.Controller.Cli;

/// <summary>Reads settings from all places and collects everything that is wrong.</summary>
/// <param name="commandLine">The options that were given.</param>
/// <param name="environment">Looks up a variable of the environment.</param>
internal sealed class SettingReader(IReadOnlyDictionary<Setting, string> commandLine, Func<string, string?> environment)
{
    private readonly List<string> _errors = [];
    private IReadOnlyDictionary<Setting, SetValue>? _file;

    /// <summary>What was wrong so far; each names the setting where it was set, the value's problem, and the fix.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>A value that the command line must give.</summary>
    public T? Argument<T>(string name, string text, Func<string, T> parse) => Value(new SetValue(text, name), parse);

    /// <summary>A setting that has a default.</summary>
    public T Required<T>(Setting setting, Func<string, T> parse) => Value(Find(setting)!, parse)!;

    /// <summary>A setting whose default depends on others.</summary>
    public T RequiredOr<T>(Setting setting, string otherwise, Func<string, T> parse) => Value(Find(setting) ?? new SetValue(otherwise, setting.Option), parse)!;

    /// <summary>A setting that may be absent.</summary>
    public T? Optional<T>(Setting setting, Func<string, T> parse)
        where T : class => Find(setting) is { } value ? Value(value, parse) : null;

    // The strongest place that sets it: command line, environment, settings file, default.
    private SetValue? Find(Setting setting) =>
        FindDirectly(setting) ?? File().GetValueOrDefault(setting) ?? (setting.Default is { } text ? new SetValue(text, setting.Option) : null);

    private SetValue? FindDirectly(Setting setting)
    {
        if (commandLine.TryGetValue(setting, out var given))
        {
            return new SetValue(given, setting.Option);
        }

        // A variable that is set to nothing is how a service manager's template leaves it out.
        return FindVariable(setting.Variable) ?? (setting.StandardVariable is { } standard ? FindVariable(standard) : null);
    }

    private SetValue? FindVariable(string name) => environment(name) is { Length: > 0 } text ? new SetValue(text, name) : null;

    private IReadOnlyDictionary<Setting, SetValue> File() =>
        _file ??= FindDirectly(RunOptions.Settings) is { Text: var path } ? SettingsFile.Read(path, _errors) : new Dictionary<Setting, SetValue>();

    private T? Value<T>(SetValue value, Func<string, T> parse)
    {
        try
        {
            return parse(value.Text);
        }
        catch (SettingException e)
        {
            _errors.Add(e.HidesValue ? $"{value.Origin} {e.Message}" : $"{value.Origin} '{value.Text}' {e.Message}");
            return default;
        }
    }
}
