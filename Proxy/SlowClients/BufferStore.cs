using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Memory and temporary files for slow clients: how much of both is in use over all requests, and how much may be.</summary>
internal sealed partial class BufferStore : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan LogInterval = TimeSpan.FromMinutes(10);

    private readonly BufferCaps _caps;
    private readonly ClientConnections _connections;
    private readonly TimeProvider _time;
    private readonly ILogger<BufferStore> _logger;
    private long _memory;
    private long _disk;
    private long _collecting;
    private long _delivering;
    private long _collected;
    private long _readAhead;
    private long _spilled;
    private long _full;
    private long _fileFailures;
    private long _failureLogged;

    /// <param name="caps">How much may be in use.</param>
    /// <param name="connections">Where descriptors are counted.</param>
    /// <param name="time">Clock of the log.</param>
    /// <param name="logger">Where it is told that files can't be used.</param>
    public BufferStore(BufferCaps caps, ClientConnections connections, TimeProvider time, ILogger<BufferStore> logger)
    {
        _time = time;
        _caps = caps;
        Pieces = new PiecePool(caps.Memory / 32);
        Late = new LateClients(time);
        _connections = connections;
        _logger = logger;
        PrepareFolder();
    }

    /// <summary>Where the memory of pieces comes from.</summary>
    public PiecePool Pieces { get; }

    /// <summary>Clients that are waited for.</summary>
    public LateClients Late { get; }

    /// <summary>Where files are made, written and closed.</summary>
    public DiskThreads Writers { get; } = new("write");

    /// <summary>Where files are read, for clients who wait: not behind all that is to be written.</summary>
    public DiskThreads Readers { get; } = new("read");

    /// <summary>Whether so much memory is in use that what can be in a file should be.</summary>
    public bool IsScarce => Volatile.Read(ref _memory) > _caps.Memory / 2;

    /// <summary>Whether so little is in use that what is on its way to a file may have more: the application doesn't wait for the disk then.</summary>
    public bool HasMemoryToSpare => Volatile.Read(ref _memory) < _caps.Memory / 4 * 3;

    /// <summary>Takes memory if there is enough left.</summary>
    public bool TryTakeMemory(int bytes) => TryTake(ref _memory, bytes, _caps.Memory);

    /// <summary>Gives memory back.</summary>
    public void GiveMemory(int bytes)
    {
        if (Interlocked.Add(ref _memory, -bytes) == 0)
        {
            Pieces.Clear();
        }
    }

    /// <summary>Takes room on the disk if there is enough left.</summary>
    public bool TryTakeDisk(int bytes) => TryTake(ref _disk, bytes, _caps.Disk);

    /// <summary>Gives room on the disk back.</summary>
    public void GiveDisk(long bytes) => Interlocked.Add(ref _disk, -bytes);

    /// <summary>Makes a file for one body. Waits for the disk.</summary>
    /// <exception cref="IOException">It can't be made, or there are too few descriptors.</exception>
    public SpoolFile OpenFile()
    {
        if (!_connections.TryEnterBeside())
        {
            throw new IOException("There are too few descriptors for another file.");
        }

        try
        {
            var file = SpoolFile.Open(_caps.Folder);
            Interlocked.Increment(ref _spilled);
            return file;
        }
        catch
        {
            _connections.LeaveBeside();
            throw;
        }
    }

    /// <summary>Closes a file, which is gone then.</summary>
    public void Close(SpoolFile file)
    {
        file.Dispose();
        _connections.LeaveBeside();
    }

    /// <summary>A file couldn't be made, written or read. It is logged once in ten minutes.</summary>
    public void FileFailed(Exception failure)
    {
        Interlocked.Increment(ref _fileFailures);
        var (now, last) = (_time.GetTimestamp(), Volatile.Read(ref _failureLogged));
        if ((last is 0 || _time.GetElapsedTime(last, now) > LogInterval) && Interlocked.CompareExchange(ref _failureLogged, now, last) == last)
        {
            LogFailure(_caps.Folder, failure.Message);
        }
    }

    /// <summary>Counts a request whose body is being collected, until it is disposed.</summary>
    public void CollectingBegan() => Interlocked.Increment(ref _collecting);

    /// <summary>Counts its end.</summary>
    /// <param name="isWhole">Whether the body is whole.</param>
    public void CollectingEnded(bool isWhole)
    {
        Interlocked.Decrement(ref _collecting);
        Interlocked.Add(ref _collected, isWhole ? 1 : 0);
    }

    /// <summary>Counts an answer that was taken from the application wholly, and goes on to its client.</summary>
    public void DeliveringBegan() => Interlocked.Increment(ref _delivering);

    /// <summary>Counts its end.</summary>
    public void DeliveringEnded() => Interlocked.Decrement(ref _delivering);

    /// <summary>Counts an answer of which something is taken ahead.</summary>
    public void ReadAheadBegan() => Interlocked.Increment(ref _readAhead);

    /// <summary>Counts that a body goes on at its client's pace, for lack of room.</summary>
    public void WasFull() => Interlocked.Increment(ref _full);

    /// <summary>What is in use, and what was.</summary>
    public BufferUse Report() => new()
    {
        MemoryBytes = Volatile.Read(ref _memory),
        MemoryLimit = _caps.Memory,
        DiskBytes = Volatile.Read(ref _disk),
        DiskLimit = _caps.Disk,
        Collecting = Volatile.Read(ref _collecting),
        Delivering = Volatile.Read(ref _delivering),
        Collected = Volatile.Read(ref _collected),
        ReadAhead = Volatile.Read(ref _readAhead),
        Spilled = Volatile.Read(ref _spilled),
        Full = Volatile.Read(ref _full),
        FileFailures = Volatile.Read(ref _fileFailures),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        Late.Dispose();
        Writers.Dispose();
        Readers.Dispose();
    }

    private static bool TryTake(ref long used, int bytes, long cap)
    {
        long before;
        do
        {
            before = Volatile.Read(ref used);
            if (before + bytes > cap)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref used, before + bytes, before) != before);
        return true;
    }

    // What a process that was killed between making a file and removing its name has left is removed.
    private void PrepareFolder()
    {
        try
        {
            Directory.CreateDirectory(_caps.Folder, OwnerOnly);
            foreach (var path in Directory.EnumerateFiles(_caps.Folder, "*" + SpoolFile.Extension))
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FileFailed(e);
        }
    }

    [LoggerMessage(440, LogLevel.Warning, "Temporary files in {Folder} couldn't be used: {Reason} Slow clients are served from memory, and where that is full at their own pace")]
    private partial void LogFailure(string folder, string reason);
}
