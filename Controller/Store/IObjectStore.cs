namespace Wunderproxy.Controller.Store;

/// <summary>The documents that all hosts share: S3, or a directory with the same layout. Nothing above it knows which.</summary>
internal interface IObjectStore
{
    /// <summary>For people: <c>s3://bucket at https://…</c> or <c>directory /var/lib/…</c>. No secret.</summary>
    string Description { get; }

    /// <summary>Reads an object whole.</summary>
    /// <param name="key">Full key, such as <c>shop/current.json</c>.</param>
    /// <param name="ifNoneMatch">ETag that is known already; absent: read in any case.</param>
    /// <param name="maxBytes">Larger objects are refused unread.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The object, or that it is unchanged, or that there is none.</returns>
    /// <exception cref="StoreException">It couldn't be read; nothing is known about the object.</exception>
    Task<StoreRead> GetAsync(string key, string? ifNoneMatch, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Writes an object whole: a reader sees the old content or the new one, never a part.</summary>
    /// <returns>The new ETag, or <see langword="null"/> if the condition did not hold; then nothing was written.</returns>
    /// <exception cref="StoreException">It couldn't be written. With <see cref="StoreFault.Ambiguous"/> it may have been, or may still be: read again and compare.</exception>
    Task<string?> PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken);

    /// <summary>Deletes an object; an absent one is fine.</summary>
    /// <exception cref="StoreException">It couldn't be deleted.</exception>
    Task DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>The keys under a prefix, in ordinal order, at most <paramref name="limit"/>.</summary>
    /// <exception cref="StoreException">They couldn't be listed.</exception>
    Task<IReadOnlyList<string>> ListAsync(string prefix, int limit, CancellationToken cancellationToken);

    /// <summary>Opens an object for reading as a stream, for image archives of any size.</summary>
    /// <param name="bucket">Another bucket, or directory beside this one; absent: the store's own.</param>
    /// <param name="key">Full key.</param>
    /// <param name="cancellationToken">Ends the opening; reads take their own.</param>
    /// <exception cref="StoreException">It couldn't be opened; <see cref="StoreFault.NotFound"/> where there is none.</exception>
    Task<Stream> OpenAsync(string? bucket, string key, CancellationToken cancellationToken);

    /// <summary>Waits until the object may have changed: until the poll interval (with jitter) is over, or at once when a watched directory changes.</summary>
    Task WaitForChangeAsync(string key, CancellationToken cancellationToken);
}

/// <summary>What a read found.</summary>
/// <param name="Status">Found, unchanged, or absent.</param>
/// <param name="Content">The bytes where found.</param>
/// <param name="ETag">The ETag where found or unchanged, without quotes.</param>
internal sealed record StoreRead(StoreReadStatus Status, ReadOnlyMemory<byte> Content, string? ETag)
{
    public static StoreRead NotFound { get; } = new(StoreReadStatus.NotFound, default, null);
}

internal enum StoreReadStatus
{
    Found,
    NotModified,
    NotFound,
}

/// <summary>When a write is allowed.</summary>
/// <param name="IfMatch">Only while the object has this ETag.</param>
/// <param name="IfAbsent">Only while there is no such object.</param>
internal sealed record PutCondition(string? IfMatch = null, bool IfAbsent = false)
{
    public static PutCondition None { get; } = new();

    public static PutCondition Absent { get; } = new(IfAbsent: true);

    public static PutCondition Matches(string etag) => new(IfMatch: etag);
}
