using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Acme;

/// <summary>The documents about certificates in the store of an application.</summary>
/// <param name="store">The store.</param>
/// <param name="prefix">Prefix of the application's keys.</param>
internal sealed class AcmeStore(IObjectStore store, string prefix)
{
    private const int MaxBytes = 512 << 10;
    private const int MostCertificates = 1000;
    private const string Ending = ".json";

    private readonly string _certificates = $"{prefix}/acme/certificates/";

    /// <summary>Key of the account.</summary>
    public string AccountKey => $"{prefix}/acme/account.json";

    /// <summary>Key of the lease.</summary>
    public string IssuerKey => $"{prefix}/acme/issuer.json";

    /// <summary>Key of a host's certificate.</summary>
    public string KeyOf(string host) => _certificates + host + Ending;

    /// <summary>Hosts of which there are documents.</summary>
    /// <exception cref="StoreException">They can't be listed.</exception>
    public async Task<IReadOnlyList<string>> HostsAsync(CancellationToken cancellationToken) =>
        [.. (await store.ListAsync(_certificates, MostCertificates, cancellationToken)).Where(key => key.EndsWith(Ending, StringComparison.Ordinal)).Select(key => key[_certificates.Length..^Ending.Length])];

    /// <summary>Reads a document.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="known">What is known of it; absent: nothing.</param>
    /// <param name="type">What it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What it is now; without a document where there is none.</returns>
    /// <exception cref="StoreException">It can't be read, or isn't what it should be.</exception>
    public async Task<Stored<T>> ReadAsync<T>(string key, Stored<T>? known, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var read = await store.GetAsync(key, known?.ETag, MaxBytes, cancellationToken);
        return read.Status switch
        {
            StoreReadStatus.NotModified => known!,
            StoreReadStatus.NotFound => Stored<T>.Absent,
            _ => new Stored<T>(Parse(key, read.Content, type), read.ETag),
        };
    }

    /// <summary>Writes a document, if it is still what is known of it.</summary>
    /// <returns>What it is now; absent: somebody else has changed it meanwhile, and nothing was written.</returns>
    /// <exception cref="StoreException">It can't be written.</exception>
    public async Task<Stored<T>?> WriteAsync<T>(string key, Stored<T> known, T document, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(document, type);
        var condition = known.ETag is { } etag ? PutCondition.Matches(etag) : PutCondition.Absent;
        try
        {
            return await store.PutAsync(key, content, condition, cancellationToken) is { } written ? new Stored<T>(document, written) : await IfOursAsync(key, content, document, cancellationToken);
        }
        catch (StoreException e) when (e.Fault is StoreFault.Ambiguous)
        {
            return await IfOursAsync(key, content, document, cancellationToken);
        }
    }

    // Whether a write happened that isn't known to have, or was repeated by the client of the store.
    private async Task<Stored<T>?> IfOursAsync<T>(string key, byte[] content, T document, CancellationToken cancellationToken)
        where T : class
    {
        var read = await store.GetAsync(key, ifNoneMatch: null, MaxBytes, cancellationToken);
        return read.Status is StoreReadStatus.Found && read.Content.Span.SequenceEqual(content) ? new Stored<T>(document, read.ETag) : null;
    }

    // Nothing of what is in it may be told: it may be a key.
    private T Parse<T>(string key, ReadOnlyMemory<byte> content, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(content.Span, type) ?? throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new StoreException(StoreFault.Unavailable, $"'{key}' in {store.Description} is no {typeof(T).Name} (line {e.LineNumber}). Restore it, or remove it: it is made anew then.");
        }
    }
}

/// <summary>A document as it was read.</summary>
/// <param name="Document">Absent: there is none.</param>
/// <param name="ETag">The ETag of what is there.</param>
internal sealed record Stored<T>(T? Document, string? ETag)
    where T : class
{
    public static Stored<T> Absent { get; } = new(null, null);
}
