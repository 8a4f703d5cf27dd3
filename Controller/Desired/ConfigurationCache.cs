using System.Collections.Concurrent;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Desired;

/// <summary>
/// The launch configurations that this host needs: read from the store once, checked, and kept on the disk, so that a release can be started again while the store is away.
/// </summary>
internal sealed class ConfigurationCache(IObjectStore store, string prefix, string folder, Permissions allowed, IFileSystem files)
{
    /// <summary>Larger documents are refused.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const string Extension = ".json";

    // More than two are of no use, but something else may have a key of that form.
    private const int MaxListed = 16;

    private readonly Lock _writing = new();
    private readonly ConcurrentDictionary<string, LaunchConfiguration> _configurations = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _hashes = new(StringComparer.Ordinal);

    /// <summary>A configuration that is here.</summary>
    /// <param name="hash">SHA-256 of its bytes.</param>
    public LaunchConfiguration? Find(string hash) => _configurations.TryGetValue(hash, out var configuration) ? configuration : Load(hash);

    /// <summary>A configuration that is here, or is published in the store.</summary>
    /// <param name="hash">SHA-256 or MD5 of its bytes, in lower-case hex digits; or a beginning of it that no other published one has, 4 digits at least.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Resolution> ResolveAsync(string hash, CancellationToken cancellationToken) =>
        ContentHash.IsValid(hash) ? ResolveWholeAsync(hash, cancellationToken) : ResolveBeginningAsync(hash, cancellationToken);

    /// <summary>Checks a document and keeps it, in memory and on the disk.</summary>
    /// <param name="name">Where it came from, for the message.</param>
    /// <param name="bytes">Its exact bytes.</param>
    public Resolution Keep(string name, ReadOnlyMemory<byte> bytes)
    {
        var result = LaunchConfigurationReader.Read(bytes);
        if (!result.IsValid)
            return new Resolution.Invalid($"{name} is not a valid launch configuration:\n{result.Describe()}");
        var refusals = ContainerPolicy.Check(result.Configuration, allowed);
        if (refusals.Count > 0)
            return new Resolution.Invalid($"{name} asks for what this host doesn't allow:\n{string.Join('\n', refusals)}");
        var hash = ContentHash.Of(bytes.Span);
        try
        {
            // One at a time: orders for the same configuration come at once, and each write of a file grows under the same temporary name.
            lock (_writing)
                DurableFile.WriteAtomically(PathOf(hash), bytes.Span, files: files);
        }
        catch (DurableWriteException exception)
        {
            return new Resolution.NotKept($"{name} couldn't be kept on this host: {exception.Message} What runs goes on. Make room there, or let this user write there; then order again.");
        }

        return Remember(hash, result.Configuration);
    }

    /// <summary>Deletes the kept documents that nothing refers to any more.</summary>
    /// <param name="needed">Hashes that stay.</param>
    public void Trim(IReadOnlySet<string> needed)
    {
        foreach (var hash in KeptHashes().Where(hash => !needed.Contains(hash)))
            files.Delete(PathOf(hash));
    }

    private async Task<Resolution> ResolveBeginningAsync(string beginning, CancellationToken cancellationToken)
    {
        var (published, failure) = await ListAsync(beginning, cancellationToken);
        string[] hashes = [.. KeptHashes().Where(hash => ContentHash.IsValid(hash) && hash.StartsWith(beginning, StringComparison.Ordinal)).Union(published, StringComparer.Ordinal)];
        return hashes switch
        {
            [var only] => await ResolveWholeAsync(only, cancellationToken),
            [] when failure is not null => new Resolution.Unavailable($"No configuration on this host begins with {beginning}, and the store can't be read: {failure}"),
            [] => new Resolution.Unknown($"No configuration is published whose hash begins with {beginning}: {store.Description} has none in {prefix}/. Publish it first."),
            _ => new Resolution.Unknown($"More than one configuration's hash begins with {beginning}: {string.Join(", ", hashes.Order(StringComparer.Ordinal))}. Give more digits."),
        };
    }

    // While the store is away, what is here still can be had.
    private async Task<(IReadOnlyList<string> Hashes, string? Failure)> ListAsync(string beginning, CancellationToken cancellationToken)
    {
        try
        {
            var keys = await store.ListAsync(ContentHash.KeysFor(prefix, beginning), MaxListed, cancellationToken);
            return ([.. keys.Select(key => ContentHash.InKey(prefix, key)).OfType<string>()], null);
        }
        catch (StoreException exception)
        {
            return ([], exception.Message);
        }
    }

    private async Task<Resolution> ResolveWholeAsync(string hash, CancellationToken cancellationToken)
    {
        var known = _hashes.GetValueOrDefault(hash, hash);
        if (Find(known) is { } here)
            return new Resolution.Found(known, here);
        var key = ContentHash.KeyFor(prefix, hash);
        try
        {
            var read = await store.GetAsync(key, null, MaxBytes, cancellationToken);
            return read.Status == StoreReadStatus.Found ? Check(key, hash, read.Content) : new Resolution.Unknown($"No configuration {hash} is published: {store.Description} has no {key}. Publish it first.");
        }
        catch (StoreException exception)
        {
            return new Resolution.Unavailable($"The configuration {hash} is not on this host, and the store can't be read: {exception.Message}");
        }
    }

    private IEnumerable<string> KeptHashes() =>
        files.List(folder).Where(path => path.EndsWith(Extension, StringComparison.Ordinal)).Select(path => Path.GetFileNameWithoutExtension(path));

    private Resolution Check(string key, string hash, ReadOnlyMemory<byte> bytes)
    {
        if (!ContentHash.Matches(hash, bytes.Span))
            return new Resolution.Invalid($"{key} is not what its name says: its bytes have the hash {ContentHash.Of(bytes.Span)}. It was changed after it was published; publish it again.");
        var resolution = Keep(key, bytes);
        if (resolution is Resolution.Found found)
            _hashes[hash] = found.Hash;
        return resolution;
    }

    private LaunchConfiguration? Load(string hash)
    {
        if (ReadKept(hash) is not { } bytes || !ContentHash.Matches(hash, bytes) || LaunchConfigurationReader.Read(bytes).Configuration is not { } configuration)
            return null;
        Remember(hash, configuration);
        return configuration;
    }

    // What can't be read on this disk is read from the store again.
    private byte[]? ReadKept(string hash)
    {
        try
        {
            return files.Read(PathOf(hash), MaxBytes);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private Resolution.Found Remember(string hash, LaunchConfiguration configuration)
    {
        _configurations[hash] = configuration;
        return new Resolution.Found(hash, configuration);
    }

    private string PathOf(string hash) => Path.Combine(folder, hash + Extension);
}

/// <summary>Whether a launch configuration can be had.</summary>
internal abstract record Resolution
{
    private Resolution()
    {
    }

    /// <summary>It is here.</summary>
    /// <param name="Hash">SHA-256 of its bytes, whatever it was asked for by.</param>
    /// <param name="Configuration">The configuration.</param>
    internal sealed record Found(string Hash, LaunchConfiguration Configuration) : Resolution;

    /// <summary>None of that name is published.</summary>
    internal sealed record Unknown(string Message) : Resolution;

    /// <summary>It is not what its name says, not valid, or not allowed.</summary>
    internal sealed record Invalid(string Message) : Resolution;

    /// <summary>It is valid, but couldn't be written to the disk: after a restart of this host it might not be there any more.</summary>
    internal sealed record NotKept(string Message) : Resolution;

    /// <summary>Nobody could tell.</summary>
    internal sealed record Unavailable(string Message) : Resolution;
}
