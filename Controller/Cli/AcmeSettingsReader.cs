using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wunderproxy.Controller.Acme;

namespace Wunderproxy.Controller.Cli;

/// <summary>Reads the settings of automatic certificates.</summary>
internal static class AcmeSettingsReader
{
    private const int LargestFile = 1 << 20;

    /// <summary>Reads them; errors are the reader's.</summary>
    /// <returns>Absent: no certificates are obtained.</returns>
    public static AcmeOptions? Read(SettingReader reader)
    {
        var isAgreed = reader.Required(RunOptions.AcmeAgree, SettingParsers.Switch);
        var options = new AcmeOptions
        {
            Directory = reader.Required(RunOptions.AcmeDirectory, Server)!,
            Contact = reader.Required(RunOptions.AcmeEmail, Contact) ?? [],
            Authorities = reader.Optional(RunOptions.AcmeCaFile, Authorities),
            Challenges = reader.Required(RunOptions.AcmeChallenges, Challenges) ?? [],
            Allowed = reader.Required(RunOptions.AcmeAllow, Names) ?? [],
            Ask = reader.Optional(RunOptions.AcmeAsk, Asked),
        };
        return isAgreed ? options : null;
    }

    private static Uri Server(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "https", UserInfo: "" }
        ? uri
        : throw new SettingException("is no https address. Write that of the server's directory, such as https://acme-staging-v02.api.letsencrypt.org/directory.");

    private static Uri Asked(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https", Fragment: "" }
        ? uri
        : throw new SettingException("is no address. Write http:// or https:// with host and path, such as http://127.0.0.1:9000/may-have-certificate.");

    private static IReadOnlyList<string> Contact(string text) =>
        [.. List(text).Select(address => address.IndexOf('@', StringComparison.Ordinal) > 0 && !address.Contains(':', StringComparison.Ordinal) && !address.Any(char.IsWhiteSpace)
            ? $"mailto:{address}"
            : throw new SettingException($"has '{address}', which is no address of e-mail. Write such as admin@shop.example, separated by commas."))];

    private static IReadOnlyList<string> Challenges(string text) => List(text) is { Length: > 0 } kinds && kinds.All(kind => kind is AcmeOptions.Http or AcmeOptions.TlsAlpn)
        ? kinds
        : throw new SettingException($"has something else than {AcmeOptions.Http} and {AcmeOptions.TlsAlpn}. Write one of them, or both separated by a comma.");

    private static IReadOnlyList<string> Names(string text) => [.. List(text).Select(name => Uri.CheckHostName(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name) is UriHostNameType.Dns
        ? name.ToLowerInvariant()
        : throw new SettingException($"has '{name}', which is no name. Write such as shop.example or *.shop.example, separated by commas."))];

    private static X509Certificate2Collection Authorities(string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(System.Text.Encoding.ASCII.GetString(TextFile.Read(path, LargestFile)));
        }
        catch (CryptographicException e)
        {
            throw new SettingException($"has no certificates that can be read: {e.Message}");
        }

        return certificates.Count > 0 ? certificates : throw new SettingException("has no certificates in it. Write them as PEM.");
    }

    private static string[] List(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
