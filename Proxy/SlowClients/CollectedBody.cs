using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>A request's body that is collected at its client's pace, and then read as fast as the application takes it.</summary>
/// <remarks>
/// Where not all of it could be kept, what comes behind is read from the client as it comes. The same holds for a body of unknown length whose client pauses for a second: it may be
/// waiting for an answer to what it has sent.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "A reader's end is its completion, which disposes what it owns.")]
internal sealed class CollectedBody : PipeReader
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly PipeReader _client;
    private readonly long? _length;
    private readonly LoopSignal _room;
    private readonly Spool _spool;
    private readonly BufferStore _store;
    private ReadOnlySequence<byte> _read;
    private long _kept;
    private bool _isWhole;
    private bool _isReadFromClient;
    private volatile bool _isStopped;

    /// <param name="client">The body as it comes.</param>
    /// <param name="length">How long it is; absent: the client doesn't say.</param>
    /// <param name="store">Where it is kept.</param>
    /// <param name="buffering">How much of it may be kept.</param>
    /// <param name="loop">Where the request runs.</param>
    public CollectedBody(PipeReader client, long? length, BufferStore store, Buffering buffering, EventLoop loop)
    {
        _client = client;
        _length = length;
        _store = store;
        _room = new LoopSignal(loop);
        _spool = new Spool(store, buffering.Memory, buffering.MaxRequest, _room, loop);
    }

    /// <summary>Takes what the client sends, until that is the whole body or no more of it may be kept.</summary>
    /// <param name="maxBytes">Bytes that the body may have; absent: any.</param>
    /// <param name="time">Clock of pauses.</param>
    /// <returns><see langword="false"/>: it is longer than it may be, and the rest of it wasn't taken.</returns>
    /// <exception cref="IOException">The client left, or sends what is no body.</exception>
    public async ValueTask<bool> TryCollectAsync(long? maxBytes, TimeProvider time)
    {
        _store.CollectingBegan();
        await using var pause = _length is null ? time.CreateTimer(static body => ((CollectedBody)body!)._client.CancelPendingRead(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) : null;
        try
        {
            while (!(_kept > maxBytes) && await TryCollectPieceAsync(pause))
            {
                // Until it is whole, or there is no room.
            }

            return !(_kept > maxBytes);
        }
        finally
        {
            _store.CollectingEnded(_isWhole);
        }
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        _isReadFromClient = false;
        if (_isStopped)
        {
            result = new ReadResult(default, isCanceled: true, isCompleted: false);
            return true;
        }

        if (_spool.TryPeek(out var bytes))
        {
            _read = new ReadOnlySequence<byte>(bytes);
            result = new ReadResult(_read, isCanceled: false, isCompleted: false);
            return true;
        }

        if (!_spool.IsEmpty)
        {
            result = default;
            return false;
        }

        if (_isWhole)
        {
            _read = default;
            result = new ReadResult(default, isCanceled: false, isCompleted: true);
            return true;
        }

        return TryReadFromClient(out result);
    }

    /// <inheritdoc/>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ReadResult result;
        while (!TryRead(out result))
        {
            if (_spool.IsEmpty)
            {
                result = await _client.ReadAsync(cancellationToken);
                _isReadFromClient = true;
                if (!IsLeftOver(result))
                {
                    return result;
                }
            }
            else
            {
                await _spool.LoadAsync();
            }
        }

        return result;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_isReadFromClient)
        {
            _client.AdvanceTo(consumed, examined);
        }
        else if (!_read.IsEmpty)
        {
            _spool.Take((int)_read.Slice(0, consumed).Length);
            _read = default;
        }
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        _isStopped = true;
        _client.CancelPendingRead();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => _spool.Dispose();

    private async ValueTask<bool> TryCollectPieceAsync(ITimer? pause)
    {
        pause?.Change(LongestPause, Timeout.InfiniteTimeSpan);
        var read = await _client.ReadAsync(CancellationToken.None);
        pause?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var kept = await KeepAsync(read.Buffer);
        var isAllKept = kept == read.Buffer.Length;
        _kept += kept;
        _isWhole = isAllKept && read.IsCompleted;
        _client.AdvanceTo(read.Buffer.GetPosition(kept));
        if (!isAllKept)
        {
            _store.WasFull();
        }

        return isAllKept && !_isWhole && !read.IsCanceled;
    }

    private async ValueTask<long> KeepAsync(ReadOnlySequence<byte> bytes)
    {
        long kept = 0;
        while (kept < bytes.Length && await TryMakeRoomAsync(_length ?? bytes.Length))
        {
            var room = _spool.Room;
            var piece = bytes.Slice(kept, Math.Min(bytes.Length - kept, room.Length));
            piece.CopyTo(room.Span);
            _spool.Filled((int)piece.Length);
            kept += piece.Length;
        }

        return kept;
    }

    // Nothing is taken from it yet: there is room again only where the disk has taken something.
    private async ValueTask<bool> TryMakeRoomAsync(long expected)
    {
        while (!_spool.TryMakeRoom(expected))
        {
            if (!_spool.IsWriting)
            {
                return _spool.TryMakeRoom(expected);
            }

            await _room.WaitAsync();
        }

        return true;
    }

    private bool TryReadFromClient(out ReadResult result)
    {
        while (_client.TryRead(out result))
        {
            _isReadFromClient = true;
            if (!IsLeftOver(result))
            {
                return true;
            }
        }

        return false;
    }

    // The end of a pause may come together with the end of the collection.
    private bool IsLeftOver(in ReadResult result)
    {
        var isLeftOver = result.IsCanceled && !_isStopped;
        if (isLeftOver)
        {
            _client.AdvanceTo(result.Buffer.Start);
        }

        return isLeftOver;
    }
}
