using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A connection's bytes both ways, without anything between them and whoever carries them.</summary>
/// <remarks>Tokens are not looked at: <see cref="Stop"/> frees whoever reads. Disposing it breaks the connection off, which frees whoever reads or writes.</remarks>
/// <param name="socket">The connection.</param>
/// <param name="received">What was received already and comes first.</param>
internal sealed class SocketStream(LoopSocket socket, ReceiveBuffer received) : AsyncStream
{
    private volatile bool _isStopped;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <summary>Makes it end for whoever reads.</summary>
    public void Stop()
    {
        _isStopped = true;
        socket.WakeReceiver();
    }

    /// <summary>Reads what is there, or waits for it; into no bytes it only waits.</summary>
    /// <returns>Bytes read; 0 into some bytes: the other side has ended, or it was stopped.</returns>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        buffer.IsEmpty ? WaitAsync() : ReadPieceAsync(buffer);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => socket.SendAsync(buffer);

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        socket.Abort();
        base.Dispose(disposing);
    }

    // Whoever waits takes memory for what comes next, so it must be there: what ends the wait at once may have been read meanwhile.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync()
    {
        var isThere = received.Count > 0 || (!socket.IsEmptied && socket.IsReadable());
        while (!isThere && !_isStopped)
        {
            var waiting = socket.WaitUntilReadableAsync();
            var wasAwaited = !waiting.IsCompleted;
            await waiting;
            isThere = wasAwaited || socket.IsReadable();
        }

        return 0;
    }

    private ValueTask<int> ReadPieceAsync(Memory<byte> buffer)
    {
        var count = _isStopped ? 0 : Take(buffer.Span);
        return count == NativeSocket.WouldBlock ? WaitAndReadAsync(buffer) : new ValueTask<int>(count);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAndReadAsync(Memory<byte> buffer)
    {
        var count = NativeSocket.WouldBlock;
        while (count == NativeSocket.WouldBlock)
        {
            await socket.WaitUntilReadableAsync();
            count = _isStopped ? 0 : Take(buffer.Span);
        }

        return count;
    }

    private int Take(Span<byte> buffer)
    {
        if (received.Count == 0)
        {
            return socket.Receive(buffer);
        }

        var count = Math.Min(received.Count, buffer.Length);
        received.Bytes.Span[..count].CopyTo(buffer);
        received.Consume(count);
        return count;
    }
}
