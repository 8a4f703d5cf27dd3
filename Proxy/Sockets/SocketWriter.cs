using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>What Kestrel writes to a connection: gathered until it is flushed, then sent at once. While nothing is written, it holds no memory.</summary>
/// <param name="socket">The connection.</param>
internal sealed class SocketWriter(LoopSocket socket) : PipeWriter
{
    private const int Small = 4 << 10;
    private const int Large = 80 << 10;

    private byte[]? _bytes;
    private int _count;
    private int _sent;
    private bool _isBroken;
    private bool _isSending;

    /// <summary>Whether a flush waits for the client.</summary>
    public bool IsSending => _isSending;

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _count;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_count);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, (_bytes?.Length ?? 0) - _count);
        _count += bytes;
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_count > 0 && !_isBroken && Send() < _count)
        {
            return SendRestAsync();
        }

        Release();
        return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: _isBroken));
    }

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        // Nobody does; whoever waits for a slow client is freed by the connection's end.
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (!_isSending)
        {
            Release();
        }
    }

    // As a pipe does whose reader has left, it says of a broken connection that it is complete; the connection's end is told elsewhere.
    private int Send()
    {
        try
        {
            return _sent = socket.Send(_bytes.AsSpan(0, _count));
        }
        catch (IOException)
        {
            _isBroken = true;
            return _count;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendRestAsync()
    {
        _isSending = true;
        try
        {
            await socket.SendRestAsync(_bytes.AsMemory(_sent, _count - _sent));
        }
        catch (IOException)
        {
            _isBroken = true;
        }

        _isSending = false;
        Release();
        return new FlushResult(isCanceled: false, isCompleted: _isBroken);
    }

    private void MakeRoom(int size)
    {
        if (_bytes is null)
        {
            _bytes = ArrayPool<byte>.Shared.Rent(Math.Max(size, Small));
        }
        else if (_bytes.Length - _count < size)
        {
            var bytes = ArrayPool<byte>.Shared.Rent(Math.Max(_count + size, Math.Max(Large, 2 * _bytes.Length)));
            _bytes.AsSpan(0, _count).CopyTo(bytes);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = bytes;
        }
    }

    private void Release()
    {
        if (_bytes is { } bytes)
        {
            (_bytes, _count) = (null, 0);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
