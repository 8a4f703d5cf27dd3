using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A connection's bytes as Kestrel reads them: received when they are asked for, into memory that is given back once they are used.</summary>
/// <param name="socket">The connection.</param>
[SuppressMessage("Design", "CA1001", Justification = "A reader's end is its completion, which disposes what it owns.")]
internal sealed class SocketReader(LoopSocket socket) : PipeReader
{
    private readonly ReceiveBuffer _buffer = new(socket, isAdaptive: true);
    private ReadOnlySequence<byte> _read;
    private bool _isExamined = true;
    private bool _isAtEnd;
    private int _isCanceled;

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        var isCanceled = Interlocked.Exchange(ref _isCanceled, 0) == 1;
        if (!isCanceled && _isExamined && !_isAtEnd && !TryReceive())
        {
            result = default;
            return false;
        }

        _read = new ReadOnlySequence<byte>(_buffer.Bytes);
        result = new ReadResult(_read, isCanceled, _isAtEnd);
        return true;
    }

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return TryRead(out var result) ? new ValueTask<ReadResult>(result)
            : cancellationToken.CanBeCanceled ? WaitAndReadAsync(cancellationToken)
            : WaitForBytesAsync();
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _isExamined = _read.GetOffset(examined) - _read.GetOffset(_read.Start) == _read.Length;
        var count = (int)(_read.GetOffset(consumed) - _read.GetOffset(_read.Start));
        _read = default;
        _buffer.Consume(count);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        Volatile.Write(ref _isCanceled, 1);
        socket.WakeReceiver();
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        _isAtEnd = true;
        _buffer.Dispose();
    }

    private bool TryReceive()
    {
        var received = _buffer.Fill();
        _isAtEnd = received == 0;
        return received != NativeSocket.WouldBlock;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitForBytesAsync()
    {
        ReadResult result;
        do
        {
            await socket.WaitUntilReadableAsync();
        }
        while (!TryRead(out result));

        return result;
    }

    private async ValueTask<ReadResult> WaitAndReadAsync(CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static reader => ((SocketReader)reader!).CancelPendingRead(), this))
        {
            var result = await WaitForBytesAsync();
            if (!result.IsCanceled || !cancellationToken.IsCancellationRequested)
            {
                return result;
            }

            AdvanceTo(result.Buffer.Start);
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
