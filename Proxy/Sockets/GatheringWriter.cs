using System.Buffers;
using System.IO.Pipelines;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Gathers what Kestrel writes to a connection until it is flushed, then sends it at once. While nothing is written, it holds no memory.</summary>
internal abstract class GatheringWriter : PipeWriter
{
    private const int Small = 4 << 10;
    private const int Large = 80 << 10;

    private byte[]? _bytes;
    private int _count;

    /// <summary>Whether a flush waits for the client.</summary>
    public bool IsSending { get; protected set; }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes => _count;

    /// <summary>What was written and isn't flushed yet.</summary>
    protected ReadOnlyMemory<byte> Gathered => _bytes.AsMemory(0, _count);

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
    public override void CancelPendingFlush()
    {
        // Nobody does; whoever waits for a slow client is freed by the connection's end.
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (!IsSending)
        {
            Release();
        }
    }

    /// <summary>Sends bytes past what was gathered, which must not be on its way meanwhile. Who is gone gets nothing.</summary>
    public abstract ValueTask SendPastAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Forgets the first bytes that were gathered.</summary>
    protected void Drop(int count)
    {
        if (count == _count)
        {
            Release();
        }
        else
        {
            _bytes.AsSpan(count, _count - count).CopyTo(_bytes);
            _count -= count;
        }
    }

    /// <summary>Forgets what was gathered.</summary>
    protected void Release()
    {
        if (_bytes is { } bytes)
        {
            (_bytes, _count) = (null, 0);
            ArrayPool<byte>.Shared.Return(bytes);
        }
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
}
