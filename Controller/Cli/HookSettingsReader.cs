using Wunderproxy.Controller.Hooks;

namespace Wunderproxy.Controller.Cli;

/// <summary>Reads the settings of hooks.</summary>
internal static class HookSettingsReader
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Reads them; errors are the reader's.</summary>
    /// <returns>Absent: nobody is told.</returns>
    public static HookSettings? Read(SettingReader reader)
    {
        var secret = reader.Optional(RunOptions.HookSecretFile, path => new HookSecret(SettingParsers.SecretIn(path, "secret")));
        return reader.Optional(RunOptions.Hooks, text => Hooks(text, secret));
    }

    private static HookSettings Hooks(string text, HookSecret? secret)
    {
        var hooks = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (hooks.Distinct(StringComparer.Ordinal).Count() < hooks.Length)
        {
            throw new SettingException("names a hook twice, which would be told everything twice. Name each once.", hidesValue: true);
        }

        var programs = hooks.Where(hook => hook[0] == '/').Select(Program).ToList();
        var webhooks = hooks.Where(hook => hook[0] != '/').Select(Address).ToList();
        return webhooks.Count == 0 || secret is not null
            ? new HookSettings(webhooks, programs, secret)
            : throw new SettingException($"has a webhook, which has to know whom a call comes from. Name the file of a secret that it shares by {RunOptions.HookSecretFile.Option}.");
    }

    private static string Program(string path) => File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0
        ? path
        : throw new SettingException($"has '{path}', which is no program. Write the absolute path of an executable file.");

    private static Uri Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", UserInfo: "", Fragment: "" }
        ? uri
        : throw new SettingException("has something that is neither a program nor an address. Write /path/of/a/program, or https:// with host and path.", hidesValue: true);
}
