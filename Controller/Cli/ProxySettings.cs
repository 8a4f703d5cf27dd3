namespace Wunderproxy.Controller.Cli;

/// <summary>Settings that are handed on to a Proxy that is started here.</summary>
internal static class ProxySettings
{
    /// <summary>Reads them, as arguments of the Proxy.</summary>
    public static IReadOnlyList<string> Read(SettingReader reader) =>
    [
        .. (reader.Required(RunOptions.TrustedProxy, SettingParsers.Networks) ?? []).SelectMany(network => new[] { RunOptions.TrustedProxy.Option, network }),
        .. Switch(reader, RunOptions.Forwarded),
        .. Switch(reader, RunOptions.AnswerRequestId),
        .. reader.Optional(RunOptions.AccessLog, SettingParsers.Log) is { } log ? new[] { RunOptions.AccessLog.Option, log } : [],
        RunOptions.AccessLogFormat.Option, reader.Required(RunOptions.AccessLogFormat, SettingParsers.LineFormat) ?? "",
    ];

    // Said either way: the Proxy gets our environment too, which is weaker than a command line.
    private static string[] Switch(SettingReader reader, Setting setting) => [setting.Option, reader.Required(setting, SettingParsers.Switch) ? "true" : "false"];
}
