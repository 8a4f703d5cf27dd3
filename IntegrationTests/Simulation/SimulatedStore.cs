using System.Security.Cryptography;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The documents of the simulated store.</summary>
internal sealed class SimulatedStore
{
    private readonly Dictionary<string, byte[]> _documents = new(StringComparer.Ordinal);

    public byte[]? this[string key]
    {
        get => _documents.GetValueOrDefault(key);
        set => _documents[key] = value ?? throw new ArgumentNullException(nameof(value));
    }

    public StoreRead Read(string key, string? ifNoneMatch, long maxBytes)
    {
        if (this[key] is not { } content)
            return StoreRead.NotFound;
        if (content.Length > maxBytes)
            throw new StoreException(StoreFault.TooLarge, $"'{key}' is larger than {maxBytes} bytes.");
        var etag = Convert.ToHexStringLower(SHA256.HashData(content))[..32];
        return etag == ifNoneMatch ? new StoreRead(StoreReadStatus.NotModified, default, etag) : new StoreRead(StoreReadStatus.Found, content, etag);
    }

    /// <summary>Writes a document that isn't there yet; nothing else is asked for.</summary>
    public string? Write(string key, ReadOnlyMemory<byte> content, PutCondition condition)
    {
        if (!condition.IfAbsent)
            throw new NotSupportedException();
        if (!_documents.TryAdd(key, content.ToArray()))
            return null;
        return Read(key, null, long.MaxValue).ETag;
    }
}

/// <summary>The simulated store as one life of the Controller reaches it.</summary>
internal sealed class UnreliableStore(SimulatedStore store, Way way, TimeProvider time, Random random) : IObjectStore
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    public string Description => "the simulated store";

    public Task<StoreRead> GetAsync(string key, string? ifNoneMatch, long maxBytes, CancellationToken cancellationToken) => way.CallAsync(
        $"get {key}",
        () => Task.FromResult(store.Read(key, ifNoneMatch, maxBytes)),
        Limit,
        (_, why) => new StoreException(StoreFault.Unavailable, $"Read of {key} failed: {why}."),
        time,
        cancellationToken);

    public Task<string?> PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken) => way.CallAsync(
        $"put {key}",
        () => Task.FromResult(store.Write(key, content, condition)),
        Limit,
        (wasSent, why) => new StoreException(wasSent ? StoreFault.Ambiguous : StoreFault.Unavailable, $"Write of {key} failed: {why}."),
        time,
        cancellationToken);

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<string>> ListAsync(string prefix, int limit, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<Stream> OpenAsync(string? bucket, string key, CancellationToken cancellationToken) =>
        throw new StoreException(StoreFault.NotFound, $"There is no '{key}'.");

    public Task WaitForChangeAsync(string key, CancellationToken cancellationToken) => Task.Delay(Poll * (0.8 + (0.4 * random.NextDouble())), time, cancellationToken);
}
