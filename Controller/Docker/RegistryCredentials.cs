using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.Controller.Docker;

/// <summary>What proves to a registry who pulls. Its text shows nothing of it.</summary>
/// <param name="User">User name; absent with a token.</param>
/// <param name="Password">Password; absent with a token.</param>
/// <param name="IdentityToken">What a helper or <c>docker login</c> got in place of a password.</param>
internal sealed record RegistryCredential(string? User, string? Password, string? IdentityToken)
{
    public override string ToString() => nameof(RegistryCredential);
}

/// <summary>Reads the credentials that <c>docker login</c> left in Docker's own configuration file, or in the helper program that the file names.</summary>
/// <param name="directory">Folder of <c>config.json</c>.</param>
/// <param name="time">For the deadline of a helper.</param>
/// <param name="logger">Where a broken file or helper is told.</param>
/// <remarks>The file is read anew for each pull, so a login takes effect at once. Without credentials the pull is tried without, as Docker does.</remarks>
internal sealed partial class RegistryCredentials(string directory, TimeProvider time, ILogger logger)
{
    private const string DockerHubKey = "https://index.docker.io/v1/";
    private const string TokenUser = "<token>";
    private const int LongestAnswer = 64 * 1024;

    private static readonly TimeSpan HelperDeadline = TimeSpan.FromSeconds(10);

    /// <summary><c>$DOCKER_CONFIG</c>, else <c>~/.docker</c>.</summary>
    public static string DefaultDirectory => Environment.GetEnvironmentVariable("DOCKER_CONFIG") is { Length: > 0 } given
        ? given
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker");

    /// <param name="registry">Host, and port if it has one.</param>
    /// <param name="cancellationToken">Ends the helper too.</param>
    /// <returns><see langword="null"/> if there are none.</returns>
    public async Task<RegistryCredential?> FindAsync(string registry, CancellationToken cancellationToken)
    {
        if (await ReadConfigAsync(cancellationToken) is not { } config)
        {
            return null;
        }

        var helper = config.CredHelpers?.GetValueOrDefault(registry) ?? config.CredsStore;
        var stored = string.IsNullOrEmpty(helper) ? null : await AskHelperAsync(helper, registry, cancellationToken);
        return stored ?? FromFile(config, registry);
    }

    private async Task<DockerConfigFile?> ReadConfigAsync(CancellationToken cancellationToken)
    {
        var file = Path.Combine(directory, "config.json");
        try
        {
            await using var stream = File.OpenRead(file);
            return await JsonSerializer.DeserializeAsync(stream, DockerConfigJson.Default.DockerConfigFile, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            // A JSON error quotes no value, but a path that is made of property names: only registries.
            logger.ConfigUnreadable(file, e is JsonException ? "it isn't valid JSON" : e.Message);
            return null;
        }
    }

    private static RegistryCredential? FromFile(DockerConfigFile config, string registry)
    {
        var entry = config.Auths?.FirstOrDefault(auth => HostOf(auth.Key) == HostOf(KeyOf(registry))).Value;
        if (entry is null)
        {
            return null;
        }

        if (!string.IsNullOrEmpty(entry.IdentityToken))
        {
            return new RegistryCredential(null, null, entry.IdentityToken);
        }

        var plain = Decode(entry.Auth);
        var colon = plain.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 ? new RegistryCredential(plain[..colon], plain[(colon + 1)..], null) : null;
    }

    private async Task<RegistryCredential?> AskHelperAsync(string helper, string registry, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(HelperDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var answer = await RunHelperAsync($"docker-credential-{helper}", KeyOf(registry), either.Token);
            return answer is null ? null : JsonSerializer.Deserialize(answer, DockerConfigJson.Default.HelperAnswer) switch
            {
                { Username: TokenUser, Secret: { Length: > 0 } token } => new RegistryCredential(null, null, token),
                { Username: { Length: > 0 } user, Secret: { } secret } => new RegistryCredential(user, secret, null),
                _ => null,
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            logger.HelperFailed(registry, helper, $"no answer within {HelperDeadline.TotalSeconds} s");
        }
        catch (Exception e) when (e is Win32Exception or IOException or JsonException)
        {
            // A JSON error may quote the answer, which is the secret.
            logger.HelperFailed(registry, helper, e is JsonException ? "its answer isn't valid JSON" : e.Message);
        }

        return null;
    }

    /// <summary>The helper's protocol: the registry on stdin of <c>docker-credential-pass get</c>, <c>{"Username":"ci","Secret":"…"}</c> on stdout; not 0 where it has none.</summary>
    private static async Task<string?> RunHelperAsync(string program, string key, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, "get")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        }) ?? throw new IOException($"{program} wasn't started.");
        try
        {
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            await TellAsync(process.StandardInput, key, cancellationToken);
            var buffer = new char[LongestAnswer];
            var length = await process.StandardOutput.ReadBlockAsync(buffer, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? new string(buffer, 0, length) : null;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static async Task TellAsync(StreamWriter input, string key, CancellationToken cancellationToken)
    {
        try
        {
            await using (input)
            {
                await input.WriteAsync(key.AsMemory(), cancellationToken);
            }
        }
        catch (IOException)
        {
            // A helper that answers the same for every registry may end without reading.
        }
    }

    private static string KeyOf(string registry) => registry == ImageReference.DockerHub ? DockerHubKey : registry;

    /// <summary>Of <c>https://registry.example/v1/</c> what counts is <c>registry.example</c>.</summary>
    private static string HostOf(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? key : key[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? rest : rest[..slash];
    }

    private static string Decode(string? base64)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(base64 ?? "")).TrimEnd('\0');
        }
        catch (FormatException)
        {
            return "";
        }
    }

    private sealed record DockerConfigFile(
        [property: JsonPropertyName("auths")] Dictionary<string, AuthEntry>? Auths,
        [property: JsonPropertyName("credHelpers")] Dictionary<string, string>? CredHelpers,
        [property: JsonPropertyName("credsStore")] string? CredsStore);

    private sealed record AuthEntry(
        [property: JsonPropertyName("auth")] string? Auth,
        [property: JsonPropertyName("identitytoken")] string? IdentityToken);

    private sealed record HelperAnswer(string? Username, string? Secret);

    [JsonSerializable(typeof(DockerConfigFile))]
    [JsonSerializable(typeof(HelperAnswer))]
    private sealed partial class DockerConfigJson : JsonSerializerContext;
}
