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
        var isGoing = true;
        while (isGoing && !IsAnswered)
        {
            // Memory is held only while there are bytes in it: reading none waits for some to be there.
            var arrival = source.ReadAsync(Memory<byte>.Empty, cancellationToken);
            await arrival;
            isGoing = await PassPieceOnAsync(cancellationToken);
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PassPieceOnAsync(CancellationToken cancellationToken)
    {
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

    private ValueTask PassOnAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _gate.Wait(0, CancellationToken.None) ? PassOnAlone(bytes, cancellationToken) : WaitAndPassOnAsync(bytes, cancellationToken);

    private async ValueTask WaitAndPassOnAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        await PassOnAlone(bytes, cancellationToken);
    }

    // The gate is given back. Most pieces are taken at once, and nobody closes.
    private ValueTask PassOnAlone(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        var isLeft = false;
        try
        {
            var passed = IsClosed ? 0 : TakeWhatPasses(bytes.Span);
            var writing = passed > 0 ? sink.WriteAsync(bytes[..passed], cancellationToken) : ValueTask.CompletedTask;
            isLeft = !writing.IsCompletedSuccessfully || passed < bytes.Length || handshake.IsOurs;
            return isLeft ? EndPieceAsync(writing, bytes[passed..], cancellationToken) : ValueTask.CompletedTask;
        }
        finally
        {
            if (!isLeft)
            {
                _gate.Release();
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask EndPieceAsync(ValueTask writing, ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        try
        {
            await writing;
            await CloseIfDueAsync(cancellationToken);
            LeaveOut(rest.Span);
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
