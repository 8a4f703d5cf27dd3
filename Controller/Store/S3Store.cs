using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Wunderproxy.Controller.Store;

/// <summary>An S3 bucket, at Amazon or at any server that speaks its protocol.</summary>
internal sealed class S3Store : IObjectStore, IDisposable
{
    private const int PageKeys = 1000;
    private const double JitterShare = 0.2;

    private static readonly TimeSpan RereadDeadline = TimeSpan.FromSeconds(3);

    private readonly HttpClient _connections;
    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly StoreOptions _options;
    private readonly S3Faults _faults;

    private S3Store(HttpClient connections, string bucket, StoreOptions options)
    {
        _connections = connections;
        _client = S3Client.Create(options, connections);
        _bucket = bucket;
        _options = options;
        _faults = new S3Faults(Place(options));
    }

    public string Description => $"s3://{_bucket} at {Place(_options)}";

    /// <summary>Makes a store; contacts nothing yet.</summary>
    /// <exception cref="ArgumentException">The endpoint is no usable URL.</exception>
    public static S3Store Open(string bucket, StoreOptions options) => new(S3Client.CreateConnections(), bucket, options);

    public Task<StoreRead> GetAsync(string key, string? ifNoneMatch, long maxBytes, CancellationToken cancellationToken) =>
        GetAsync(key, ifNoneMatch, maxBytes, _options.CallDeadline, cancellationToken);

    public async Task<string?> PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken)
    {
        StoreKey.Require(key);
        try
        {
            return await CallAsync(S3Call.Write(_bucket, key), _options.CallDeadline, token => SendPutAsync(key, content, condition, token), cancellationToken);
        }
        catch (StoreException failure) when (failure.Fault is StoreFault.Ambiguous)
        {
            if (await ETagIfWrittenAsync(key, content, cancellationToken) is { } etag)
            {
                return etag;
            }

            throw;
        }
    }

    public async Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        StoreKey.Require(key);
        var request = new DeleteObjectRequest { BucketName = _bucket, Key = key };
        await CallAsync(S3Call.Delete(_bucket, key), _options.CallDeadline, token => _client.DeleteObjectAsync(request, token), cancellationToken);
    }

    public Task<IReadOnlyList<string>> ListAsync(string prefix, int limit, CancellationToken cancellationToken)
    {
        StoreKey.RequirePrefix(prefix);
        return CallAsync(S3Call.List(_bucket, prefix), _options.CallDeadline, token => ReadPagesAsync(prefix, limit, token), cancellationToken);
    }

    public Task<Stream> OpenAsync(string? bucket, string key, CancellationToken cancellationToken)
    {
        StoreKey.Require(key);
        var request = new GetObjectRequest { BucketName = bucket ?? _bucket, Key = key };
        return CallAsync(
            S3Call.Read(request.BucketName, key),
            _options.CallDeadline,
            async Task<Stream> (token) => new S3Body(await _client.GetObjectAsync(request, token), _options),
            cancellationToken);
    }

    public Task WaitForChangeAsync(string key, CancellationToken cancellationToken) =>
        Task.Delay(_options.PollInterval * JitterFactor(), _options.Time, cancellationToken);

    public void Dispose()
    {
        _client.Dispose();
        _connections.Dispose();
    }

    private static string Place(StoreOptions options) => options.Endpoint?.AbsoluteUri.TrimEnd('/') ?? "Amazon S3";

    private static string Unquoted(string etag) => etag.Trim('"');

    private double JitterFactor()
    {
        lock (_options.Jitter)
        {
            return 1 - JitterShare + (2 * JitterShare * _options.Jitter.NextDouble());
        }
    }

    private Task<StoreRead> GetAsync(string key, string? ifNoneMatch, long maxBytes, TimeSpan deadline, CancellationToken cancellationToken)
    {
        StoreKey.Require(key);
        var request = new GetObjectRequest
        {
            BucketName = _bucket,
            Key = key,
            EtagToNotMatch = ifNoneMatch is null ? null : $"\"{ifNoneMatch}\"",
        };
        return CallAsync(S3Call.Read(_bucket, key), deadline, token => SendGetAsync(request, ifNoneMatch, maxBytes, token), cancellationToken);
    }

    private async Task<StoreRead> SendGetAsync(GetObjectRequest request, string? ifNoneMatch, long maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = new S3Body(await _client.GetObjectAsync(request, cancellationToken), _options);
            var content = await body.ReadWholeAsync(maxBytes, cancellationToken);
            return content is null
                ? throw _faults.TooLarge(request.BucketName, request.Key, maxBytes)
                : new StoreRead(StoreReadStatus.Found, content, Unquoted(body.ETag));
        }
        catch (AmazonS3Exception unchanged) when (unchanged.StatusCode is HttpStatusCode.NotModified)
        {
            return new StoreRead(StoreReadStatus.NotModified, default, ifNoneMatch);
        }
        catch (AmazonS3Exception absent) when (absent.ErrorCode is "NoSuchKey")
        {
            return StoreRead.NotFound;
        }
    }

    private async Task<string?> SendPutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken)
    {
        var request = new PutObjectRequest
        {
            BucketName = _bucket,
            Key = key,
            InputStream = new MemoryStream(content.ToArray(), writable: false),
            ContentType = "application/json",
            UseChunkEncoding = false,
            IfNoneMatch = condition.IfAbsent ? "*" : null,

            // Without quotes: Amazon takes both, other servers compare the text as it comes.
            IfMatch = condition.IfMatch,
        };
        try
        {
            return Unquoted((await _client.PutObjectAsync(request, cancellationToken)).ETag);
        }
        catch (AmazonS3Exception refusal) when (condition != PutCondition.None && ConditionDidNotHold(refusal))
        {
            return null;
        }
    }

    private static bool ConditionDidNotHold(AmazonS3Exception refusal) =>
        refusal.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict || refusal.ErrorCode is "NoSuchKey";

    /// <summary>After a write without a usable answer: if the object is what was to be written, it was.</summary>
    private async Task<string?> ETagIfWrittenAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            var read = await GetAsync(key, null, content.Length, RereadDeadline, cancellationToken);
            return read.Status is StoreReadStatus.Found && read.Content.Span.SequenceEqual(content.Span) ? read.ETag : null;
        }
        catch (StoreException)
        {
            // Still unknown: the write's own failure says so.
            return null;
        }
    }

    private async Task<IReadOnlyList<string>> ReadPagesAsync(string prefix, int limit, CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix };
        do
        {
            request.MaxKeys = Math.Min(limit - keys.Count, PageKeys);
            var page = await _client.ListObjectsV2Async(request, cancellationToken);
            keys.AddRange((page.S3Objects ?? []).Select(found => found.Key));
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (request.ContinuationToken is not null && keys.Count < limit);

        return [.. keys.Order(StringComparer.Ordinal)];
    }

    private async Task<T> CallAsync<T>(S3Call call, TimeSpan limit, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            // Off this thread and abandoned at the deadline: while the SDK looks for credentials it blocks, deaf to cancellation.
            return await Task.Run(() => send(either.Token), either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException late) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw _faults.NoAnswer(call, limit, late);
        }
        catch (Exception failure) when (failure is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or ArgumentException)
        {
            throw _faults.Of(call, failure);
        }
    }
}
