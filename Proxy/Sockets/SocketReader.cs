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
    private bool _isWaiting;
    private int _isCanceled;
    private int _inPipe;

    /// <summary>Whether nothing has come that wasn't used, and somebody waits for more. Looked at on the loop's thread.</summary>
    public bool IsWaiting => _isWaiting && _buffer.Count == 0;

    /// <summary>What was received and not used. Whoever takes it is the only one to read from then on.</summary>
    public ReceiveBuffer Received => _buffer;

    /// <summary>Bytes that <see cref="TryRead"/> may take into the loop's pipe; 0: it gives bytes. Set and reset on the loop's thread, around a read of which nothing has come yet.</summary>
    public int PipeLimit { get; set; }

    /// <summary>Whether what was read last is in the loop's pipe, and the memory that was given only stands for it.</summary>
    public bool IsInPipe => _inPipe > 0;

    /// <summary>Makes whoever waits believe that the connection has ended. Called on the loop's thread, while <see cref="IsWaiting"/>.</summary>
    public void LetGo()
    {
        _isAtEnd = true;
        socket.WakeReceiver();
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        var isCanceled = Interlocked.Exchange(ref _isCanceled, 0) == 1;
        if (!isCanceled && _isExamined && !_isAtEnd && !TryReceive())
        {
            result = default;
            return false;
        }

        _read = new ReadOnlySequence<byte>(IsInPipe ? KernelPipe.Placeholder.AsMemory(0, _inPipe) : _buffer.Bytes);
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
        if (IsInPipe)
        {
            _inPipe = 0;
            return;
        }

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
        var received = PipeLimit > 0 ? _inPipe = socket.ReceiveIntoPipe(PipeLimit) : _buffer.Fill();
        _isAtEnd = received == 0;
        return received != NativeSocket.WouldBlock;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitForBytesAsync()
    {
        ReadResult result;
        do
        {
            _isWaiting = true;
            await socket.WaitUntilReadableAsync();
            _isWaiting = false;
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
