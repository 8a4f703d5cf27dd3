using System.Collections.Concurrent;
using System.Security.Cryptography;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Store;

/// <summary>The embedded store: the layout of the bucket in a directory, written atomically and watched.</summary>
/// <remarks>
/// ETags are the SHA-256 of the content. Conditions hold between processes of one host, which take turns by a lock file. People may write documents
/// with an editor or <c>cp</c>: one that is half written reads as what it is, and the watch fires again when the rest comes.
/// </remarks>
internal sealed class DirectoryStore : IObjectStore, IDisposable
{
    // Names that begin with a dot are the store's own (the lock, files being written) or hidden on purpose.
    private const string LockName = ".lock";
    private const int RememberedFiles = 256;

    private static readonly TimeSpan LockRetryInterval = TimeSpan.FromMilliseconds(5);

    // An editor writes in several steps; most are over by then.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(20);

    private readonly string _root;
    private readonly StoreOptions _options;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentDictionary<string, FileState> _lastSeen = new(StringComparer.Ordinal);

    private DirectoryStore(string root, StoreOptions options)
    {
        _root = root;
        _options = options;
    }

    public string Description => $"directory {_root}";

    /// <summary>Opens a directory, which must exist unless <see cref="StoreOptions.CreateDirectory"/> is set.</summary>
    /// <exception cref="StoreException">It is absent, no directory, or couldn't be created.</exception>
    public static DirectoryStore Open(string path, StoreOptions options)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (options.CreateDirectory)
        {
            Create(root);
        }

        return Directory.Exists(root) ? new DirectoryStore(root, options) : throw RootMissing(root);
    }

    public Task<StoreRead> GetAsync(string key, string? ifNoneMatch, long maxBytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var path = PathOf(key);
        Remember(path, FileState.Of(path));
        if (Read(path, key, maxBytes) is not { } content)
        {
            return Task.FromResult(StoreRead.NotFound);
        }

        var etag = ETagOf(content);
        return Task.FromResult(etag == ifNoneMatch
            ? new StoreRead(StoreReadStatus.NotModified, default, etag)
            : new StoreRead(StoreReadStatus.Found, content, etag));
    }

    public async Task<string?> PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        using var turn = await TakeTurnAsync(key, cancellationToken);
        if (!Holds(condition, path, key))
        {
            return null;
        }

        Change(key, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            DurableFile.WriteAtomically(path, content.Span);
        });
        return ETagOf(content.Span);
    }

    public async Task DeleteAsync(string key, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        using var turn = await TakeTurnAsync(key, cancellationToken);
        if (File.Exists(path))
        {
            Change(key, () => DurableFile.Delete(path));
        }
    }

    public Task<IReadOnlyList<string>> ListAsync(string prefix, int limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StoreKey.RequirePrefix(prefix);
        RequireRoot();
        var folder = Path.Combine(_root, prefix[..(prefix.LastIndexOf('/') + 1)]);
        try
        {
            IReadOnlyList<string> keys =
            [
                .. Files(folder).Select(KeyOf).Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Take(limit),
            ];
            return Task.FromResult(keys);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unreadable($"keys under '{prefix}'", failure);
        }
    }

    public Task<Stream> OpenAsync(string? bucket, string key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var store = bucket is null ? this : Beside(bucket);
        var path = store.PathOf(key);
        try
        {
            return Task.FromResult<Stream>(new FileStream(path, new FileStreamOptions
            {
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
            }));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StoreException(StoreFault.NotFound, $"There is no '{key}' in {store.Description}. Put the file there or correct its key.", absent);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw store.Unreadable($"'{key}'", failure);
        }
    }

    public async Task WaitForChangeAsync(string key, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        var known = _lastSeen.GetOrAdd(path, FileState.Of);
        var changed = new TaskCompletionSource<FileChange>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = FileWatch.TryBegin(_root, path, change => changed.TrySetResult(change));
        try
        {
            // Compared once the watch is on, so that no change falls between the last read and the first event.
            if (FileState.Of(path) == known)
            {
                if (await changed.Task.WaitAsync(_options.PollInterval, _options.Time, cancellationToken) == FileChange.Written)
                {
                    await Task.Delay(SettleTime, _options.Time, cancellationToken);
                }
            }
        }
        catch (TimeoutException)
        {
            // Not every file system tells of changes; the caller looks for itself.
        }

        // A caller that waits again without reading must not spin.
        Remember(path, FileState.Of(path));
    }

    public void Dispose() => _writing.Dispose();

    private static string ETagOf(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private static void Create(string root)
    {
        try
        {
            Directory.CreateDirectory(root);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreFault.NotWritable, $"Directory '{root}' couldn't be created: {failure.Message} Create it, or name another.", failure);
        }
    }

    private static StoreException RootMissing(string root) => new(
        StoreFault.NotFound,
        $"'{root}' is {(File.Exists(root) ? "a file" : "absent")}: a directory is needed as object store. Create it, or name another; what runs stays as it is.");

    private static IEnumerable<string> Files(string folder) => !Directory.Exists(folder) ? [] :
        Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden });

    private string KeyOf(string path) => Path.GetRelativePath(_root, path);

    private string PathOf(string key)
    {
        StoreKey.Require(key);
        return key.Split('/').Any(segment => segment.StartsWith('.'))
            ? throw new StoreException(StoreFault.NotFound, $"Key '{key}' names no object of {Description}: names that begin with a dot are reserved there.")
            : Path.Combine(_root, key);
    }

    private DirectoryStore Beside(string bucket)
    {
        if (bucket.Contains('/') || bucket.StartsWith('.') || bucket.Length == 0 || bucket.Any(char.IsControl))
        {
            throw new StoreException(StoreFault.NotFound, $"No directory beside {Description} can have the name '{bucket}': give one name without slash.");
        }

        return Open(Path.Combine(Path.GetDirectoryName(_root) ?? "/", bucket), _options with { CreateDirectory = false });
    }

    private void RequireRoot()
    {
        if (!Directory.Exists(_root))
        {
            throw RootMissing(_root);
        }
    }

    private byte[]? Read(string path, string key, long maxBytes)
    {
        RequireRoot();
        if (Directory.Exists(path))
        {
            return null;
        }

        try
        {
            var content = PosixFileSystem.Instance.Read(path, (int)Math.Min(maxBytes, Array.MaxLength - 1) + 1);
            return content?.LongLength > maxBytes ? throw TooLarge(key, maxBytes) : content;
        }
        catch (IOException failure)
        {
            throw Unreadable($"'{key}'", failure);
        }
    }

    private bool Holds(PutCondition condition, string path, string key) => condition switch
    {
        { IfAbsent: true } => !File.Exists(path),
        { IfMatch: { } etag } => Read(path, key, long.MaxValue) is { } content && ETagOf(content) == etag,
        _ => true,
    };

    private void Change(string key, Action change)
    {
        RequireRoot();
        try
        {
            change();
        }
        catch (DurableWriteException failure) when (failure.Fault is DurableWriteFault.Unsynced)
        {
            throw new StoreException(StoreFault.Ambiguous, $"'{key}' in {Description}: {failure.Message} Read it again.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                StoreFault.NotWritable, $"'{key}' in {Description} couldn't be changed: {failure.Message} Free space or correct the rights there.", failure);
        }
    }

    private async Task<Turn> TakeTurnAsync(string key, CancellationToken cancellationToken)
    {
        RequireRoot();
        var started = _options.Time.GetTimestamp();
        await _writing.WaitAsync(cancellationToken);
        try
        {
            FileLock? taken;
            while ((taken = TryLock(key)) is null)
            {
                GiveUpAfterDeadline(key, started);
                await Task.Delay(LockRetryInterval, _options.Time, cancellationToken);
            }

            return new Turn(_writing, taken);
        }
        catch
        {
            _writing.Release();
            throw;
        }
    }

    private FileLock? TryLock(string key)
    {
        FileLock? taken = null;
        Change(key, () => taken = FileLock.TryAcquire(Path.Combine(_root, LockName)));
        return taken;
    }

    private void GiveUpAfterDeadline(string key, long started)
    {
        if (_options.Time.GetElapsedTime(started) > _options.CallDeadline)
        {
            var path = Path.Combine(_root, LockName);
            throw new StoreException(
                StoreFault.Unavailable,
                $"'{key}' in {Description} was not changed: process {FileLock.HolderOf(path)} has held '{path}' for {_options.CallDeadline.TotalSeconds} s. Trying again is safe.");
        }
    }

    private void Remember(string path, FileState state)
    {
        // Forgetting costs no change, only a later look at one that came between a read and the wait after it.
        if (_lastSeen.Count >= RememberedFiles)
        {
            _lastSeen.Clear();
        }

        _lastSeen[path] = state;
    }

    private StoreException TooLarge(string key, long maxBytes) => new(
        StoreFault.TooLarge, $"'{key}' in {Description} is larger than {maxBytes} bytes and was not used. What was read before still holds.");

    private StoreException Unreadable(string what, Exception failure) => new(
        StoreFault.Unavailable, $"{what} in {Description} couldn't be read: {failure.Message} What was read before still holds.", failure);

    /// <summary>The right to change the directory, against other tasks and other processes.</summary>
    private sealed class Turn(SemaphoreSlim writing, FileLock taken) : IDisposable
    {
        public void Dispose()
        {
            taken.Dispose();
            writing.Release();
        }
    }
}
