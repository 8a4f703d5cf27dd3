using System.Buffers;
using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>One direction of a WebSocket: passes bytes on as they come, and puts the Proxy's Close between two frames when the Proxy closes.</summary>
/// <remarks>Whatever is written is written by whoever holds the gate, so a Close that comes while nothing moves can't meet bytes that come just then.</remarks>
/// <param name="source">Where bytes come from.</param>
/// <param name="sink">Where they go.</param>
/// <param name="close">The Close that the sink gets from the Proxy.</param>
/// <param name="handshake">Who closes.</param>
/// <param name="onClosed">Called once the Proxy's Close was written.</param>
internal sealed class WebSocketDirection(Stream source, Stream sink, ReadOnlyMemory<byte> close, CloseHandshake handshake, Action onClosed) : IDisposable
{
    private const int PieceBytes = 64 << 10;

    private readonly SemaphoreSlim _gate = new(1);
    private FrameWatcher _frames;

    /// <summary>Whether the sink got the Proxy's Close: nothing may follow it.</summary>
    public bool IsClosed { get; private set; }

    // The sink has its Close, and the source has sent its own: nothing is left to pass on.
    private bool IsAnswered => IsClosed && _frames.HasClosed;

    /// <summary>Passes bytes on until the source ends, or has answered the Proxy's Close.</summary>
    /// <exception cref="IOException">A side broke it off.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!IsAnswered && await PassPieceOnAsync(cancellationToken))
        {
            // The next piece.
        }
    }

    /// <summary>Writes the Proxy's Close if no frame is on its way; else that happens behind the frame.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await CloseIfDueAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    // Memory is held only while there are bytes in it: reading none waits for some to be there.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PassPieceOnAsync(CancellationToken cancellationToken)
    {
        var arrival = source.ReadAsync(Memory<byte>.Empty, cancellationToken);
        await arrival;
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            var count = await source.ReadAsync(piece, cancellationToken);
            await PassOnAsync(piece.AsMemory(0, count), cancellationToken);
            return count > 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PassOnAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var passed = IsClosed ? 0 : TakeWhatPasses(bytes.Span);
            if (passed > 0)
            {
                await sink.WriteAsync(bytes[..passed], cancellationToken);
            }

            await CloseIfDueAsync(cancellationToken);
            LeaveOut(bytes.Span[passed..]);
        }
        finally
        {
            _gate.Release();
        }
    }

    // Everything, unless the Proxy closes: then up to the end of the frame that is on its way.
    private int TakeWhatPasses(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        while (count < bytes.Length && (!_frames.IsBetweenFrames || MayBegin(bytes[count])))
        {
            count += _frames.Take(bytes[count..]);
        }

        return count;
    }

    private bool MayBegin(byte first) => FrameWatcher.IsClose(first) ? handshake.TryLeaveToSides() : !handshake.IsOurs;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask CloseIfDueAsync(CancellationToken cancellationToken)
    {
        if (!IsClosed && handshake.IsOurs && _frames.IsBetweenFrames)
        {
            IsClosed = true;
            await sink.WriteAsync(close, cancellationToken);
            onClosed();
        }
    }

    private void LeaveOut(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_frames.Take(bytes)..];
        }
    }
}
