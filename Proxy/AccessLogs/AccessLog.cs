using Microsoft.Extensions.Logging;

namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>One line for each request. Requests never wait for it: lines for which there is no room, or that can't be written, are dropped and counted.</summary>
/// <remarks>
/// Requests write their lines one behind the other into one of two pieces of memory, while a thread writes the other one out. It sleeps as long as there is nothing to write, and
/// begins a few milliseconds after the first line, so that lines of busy times are written together.
/// </remarks>
internal sealed partial class AccessLog : IAsyncDisposable
{
    private const int PieceBytes = 2 << 20;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(10);

    private readonly AccessLogFormat _format;
    private readonly AccessLogFile _file;
    private readonly TimeProvider _time;
    private readonly ILogger<AccessLog> _logger;
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _begun = new(false);
    private readonly AutoResetEvent _muchToWrite = new(false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _gathered = GC.AllocateUninitializedArray<byte>(PieceBytes);
    private byte[] _written = GC.AllocateUninitializedArray<byte>(PieceBytes);
    private int _bytes;
    private int _lines;
    private long _dropped;
    private long _said;
    private long? _saidAt;
    private bool _isFailing;
    private bool _isToReopen;
    private bool _isOver;

    /// <param name="format">How lines are written.</param>
    /// <param name="file">Where they go; belongs to this from now on.</param>
    /// <param name="time">Clock of what is said about drops.</param>
    /// <param name="logger">Where that is said.</param>
    public AccessLog(AccessLogFormat format, AccessLogFile file, TimeProvider time, ILogger<AccessLog> logger)
    {
        _format = format;
        _file = file;
        _time = time;
        _logger = logger;
        new Thread(WriteUntilOver) { Name = "wp-access-log", IsBackground = true }.Start();
    }

    /// <summary>Lines that were dropped so far.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Adds the line of a request that has ended.</summary>
    public void Write(in AccessEntry entry)
    {
        var needed = AccessLine.BoundOf(entry);
        int before;
        int after;
        lock (_lock)
        {
            before = _bytes;
            if (_isOver || _gathered.Length - before < needed)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }

            after = _bytes = before + AccessLine.Write(_format, entry, _gathered.AsSpan(before));
            _lines++;
        }

        if (before == 0)
        {
            _begun.Set();
        }
        else if (before < PieceBytes / 2 && after >= PieceBytes / 2)
        {
            _muchToWrite.Set();
        }
    }

    /// <summary>Opens its file anew, for it was renamed. No line is lost: what has come before goes into either.</summary>
    public void Reopen()
    {
        Volatile.Write(ref _isToReopen, true);
        _begun.Set();
    }

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            _isOver = true;
        }

        _begun.Set();
        _muchToWrite.Set();
        await _ended.Task.WaitAsync(EndLimit, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void WriteUntilOver()
    {
        var isOver = false;
        while (!isOver)
        {
            _begun.WaitOne();
            _muchToWrite.WaitOne(Gathering);
            isOver = WriteOut();
            ReopenIfAsked();
        }

        _file.Dispose();
        _ended.TrySetResult();
    }

    // Whether this was all.
    private bool WriteOut()
    {
        int bytes;
        int lines;
        bool isOver;
        lock (_lock)
        {
            (bytes, lines, isOver) = (_bytes, _lines, _isOver);
            (_gathered, _written) = (_written, _gathered);
            (_bytes, _lines) = (0, 0);
        }

        if (bytes > 0)
        {
            TryWrite(_written.AsSpan(0, bytes), lines);
            SayDrops();
        }

        return isOver;
    }

    private void TryWrite(ReadOnlySpan<byte> bytes, int lines)
    {
        try
        {
            _file.Write(bytes);
            if (_isFailing)
            {
                _isFailing = false;
                WrittenAgain(_file.Name, Dropped);
                _said = Dropped;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Interlocked.Add(ref _dropped, lines);
            if (!_isFailing)
            {
                _isFailing = true;
                NotWritten(_file.Name, e.Message);
            }
        }
    }

    private void SayDrops()
    {
        var now = _time.GetTimestamp();
        if (_isFailing || Dropped == _said || (_saidAt is { } at && _time.GetElapsedTime(at, now) < Silence))
        {
            return;
        }

        TooSlow(_file.Name, Dropped - _said);
        (_said, _saidAt) = (Dropped, now);
    }

    private void ReopenIfAsked()
    {
        if (!Interlocked.Exchange(ref _isToReopen, false))
        {
            return;
        }

        try
        {
            _file.Reopen();
            Reopened(_file.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotReopened(_file.Name, e.Message);
        }
    }

    [LoggerMessage(421, LogLevel.Error, "Could not write the access log {File}: {Reason} Lines are dropped and counted until it can be written again; requests go on")]
    private partial void NotWritten(string file, string reason);

    [LoggerMessage(422, LogLevel.Information, "Wrote the access log {File} again; {Dropped} lines were dropped since the start")]
    private partial void WrittenAgain(string file, long dropped);

    [LoggerMessage(423, LogLevel.Warning, "Dropped {Lines} lines of the access log {File}, which takes them too slowly")]
    private partial void TooSlow(string file, long lines);

    [LoggerMessage(424, LogLevel.Information, "Opened the access log {File} anew")]
    private partial void Reopened(string file);

    [LoggerMessage(425, LogLevel.Error, "Could not open the access log {File} anew: {Reason} The former file is written on; requests go on")]
    private partial void NotReopened(string file, string reason);
}
