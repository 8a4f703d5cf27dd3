using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary>Launch configurations as an operator names them: by file, by hash, or <c>current</c>.</summary>
/// <param name="store">The store; absent: none was named.</param>
/// <param name="prefix">Prefix of the application's keys.</param>
internal sealed class DocumentSource(IObjectStore? store, string prefix)
{
    public const string Meaning = "A file, the hash of a published launch configuration or its first digits, or current for current.json.";

    private const string Current = "current";
    private const int MaxListed = 16;

    /// <summary>Prefix of the application's keys; empty: no store was named.</summary>
    public string Prefix { get; } = prefix;

    /// <summary>Reads a document; its content isn't checked.</summary>
    /// <exception cref="SettingException">There is none of that name.</exception>
    /// <exception cref="StoreException">The store couldn't be read.</exception>
    public async Task<LaunchDocument> ReadAsync(string name, CancellationToken cancellationToken)
    {
        if (name == Current)
        {
            return await ReadCurrentAsync(cancellationToken) ?? throw new SettingException($"{store!.Description} has no {Prefix}/current.json: nothing was deployed yet.");
        }

        return ContentHash.IsBeginning(name) && !File.Exists(name) ? await ReadPublishedAsync(name, cancellationToken) : ReadFile(name);
    }

    /// <summary><c>current.json</c>, or <see langword="null"/> where there is none.</summary>
    /// <exception cref="StoreException">The store couldn't be read.</exception>
    public Task<LaunchDocument?> ReadCurrentAsync(CancellationToken cancellationToken) => FindAsync($"{Prefix}/current.json", cancellationToken);

    /// <summary>A published document, or <see langword="null"/> where there is none of exactly that hash.</summary>
    /// <exception cref="StoreException">The store couldn't be read.</exception>
    public Task<LaunchDocument?> FindPublishedAsync(string hash, CancellationToken cancellationToken) => FindAsync(ContentHash.KeyFor(Prefix, hash), cancellationToken);

    private static LaunchDocument ReadFile(string path)
    {
        try
        {
            return new LaunchDocument(path, TextFile.Read(path, LaunchConfigurationReader.MaxBytes));
        }
        catch (SettingException e)
        {
            throw new SettingException($"FILE '{path}' {e.Message}");
        }
    }

    private async Task<LaunchDocument> ReadPublishedAsync(string beginning, CancellationToken cancellationToken)
    {
        var keys = await Store($"'{beginning}' is no file here. If it is a hash").ListAsync(ContentHash.KeysFor(Prefix, beginning), MaxListed, cancellationToken);
        string[] hashes = [.. keys.Select(key => ContentHash.InKey(Prefix, key)).OfType<string>()];
        return hashes switch
        {
            [var only] => await FindPublishedAsync(only, cancellationToken) ?? throw Missing(beginning),
            [] => throw Missing(beginning),
            _ => throw new SettingException($"'{beginning}' is the beginning of more than one hash: {string.Join(", ", hashes)}. Give more digits."),
        };
    }

    private async Task<LaunchDocument?> FindAsync(string key, CancellationToken cancellationToken)
    {
        var read = await Store($"To read {key}").GetAsync(key, null, LaunchConfigurationReader.MaxBytes, cancellationToken);
        return read.Status == StoreReadStatus.Found ? new LaunchDocument(key, read.Content.ToArray()) : null;
    }

    private IObjectStore Store(string why) => store
        ?? throw new SettingException($"{why}, BUCKET and PREFIX are needed: name them behind it, or in {StoreArguments.BucketVariable} and {StoreArguments.PrefixVariable}.");

    private SettingException Missing(string beginning) => new($"'{beginning}' is neither a file here nor the beginning of a hash in {store!.Description} under {Prefix}/. wunderproxy history lists what was deployed.");
}
