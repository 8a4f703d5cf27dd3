using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>What Kestrel writes to a connection: bytes, and those in the loop's pipe, which Kestrel counts but never sees.</summary>
/// <param name="socket">The connection.</param>
internal sealed class SocketWriter(LoopSocket socket) : GatheringWriter
{
    private bool _isBroken;
    private bool _isStopped;

    /// <summary>Whether the next bytes that are written are all those in the loop's pipe. Set and reset on the loop's thread, around <see cref="GetMemory"/> and <see cref="Advance"/>.</summary>
    public bool TakesPipe { get; set; }

    /// <summary>Whether memory stands for what is in the pipe, so that nothing is to be written to it.</summary>
    public static bool StandsForPipe(Memory<byte> memory) => Unsafe.AreSame(ref MemoryMarshal.GetReference(memory.Span), ref KernelPipe.Placeholder[0]);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => TakesPipe ? KernelPipe.Placeholder : base.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes)
    {
        if (TakesPipe)
        {
            TakePipe();
        }
        else
        {
            base.Advance(bytes);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (UnflushedBytes > 0 && !_isBroken && Send(isMoreComing: false) is var sent && sent < UnflushedBytes)
        {
            return SendRestAsync(sent);
        }

        Release();
        return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: _isBroken));
    }

    /// <inheritdoc/>
    public override async ValueTask SendPastAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await socket.SendAsync(bytes);
        }
        catch (IOException)
        {
            _isBroken = true;
        }
    }

    /// <summary>Sends what was gathered, past Kestrel, as far as the client is ready for it.</summary>
    /// <param name="isMoreComing">Whether the next send follows at once.</param>
    /// <returns>Whether nothing is left.</returns>
    public bool TrySend(bool isMoreComing = false)
    {
        if (UnflushedBytes > 0)
        {
            Drop(Send(isMoreComing));
        }

        return UnflushedBytes == 0;
    }

    /// <summary>Sends what was gathered, past Kestrel, until nothing is left or <see cref="StopSending"/> is called.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync()
    {
        IsSending = true;
        _isStopped = false;
        while (!_isStopped && !TrySend())
        {
            await socket.WaitForRoomAsync();
        }

        IsSending = false;
    }

    /// <summary>Lets <see cref="SendAsync"/> wait no more. May be called on any thread.</summary>
    public void StopSending() => socket.Loop.End(new StopOnLoop(this));

    // Behind what was gathered; what the client isn't ready for is gathered, too.
    private void TakePipe()
    {
        TakesPipe = false;
        if (!_isBroken)
        {
            SendPipe();
        }

        if (socket.Loop.Pipe.Count is > 0 and var left)
        {
            socket.Loop.Pipe.Read(base.GetMemory(left).Span[..left]);
            base.Advance(left);
        }
    }

    private void SendPipe()
    {
        try
        {
            if (TrySend(isMoreComing: true))
            {
                socket.SendFromPipe();
            }
        }
        catch (IOException)
        {
            _isBroken = true;
        }
    }

    // As a pipe does whose reader has left, it says of a broken connection that it is complete; the connection's end is told elsewhere.
    private int Send(bool isMoreComing)
    {
        try
        {
            return socket.Send(Gathered.Span, isMoreComing);
        }
        catch (IOException)
        {
            _isBroken = true;
            return Gathered.Length;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendRestAsync(int sent)
    {
        IsSending = true;
        try
        {
            await socket.SendRestAsync(Gathered[sent..]);
        }
        catch (IOException)
        {
            _isBroken = true;
        }

        IsSending = false;
        Release();
        return new FlushResult(isCanceled: false, isCompleted: _isBroken);
    }

    private void Stop()
    {
        _isStopped = true;
        socket.WakeSender();
    }

    private sealed class StopOnLoop(SocketWriter writer) : ISocketEvents
    {
        public void On(SocketEvents events) => writer.Stop();
    }
}
