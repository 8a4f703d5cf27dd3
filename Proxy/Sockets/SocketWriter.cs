using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>What Kestrel writes to a connection.</summary>
/// <param name="socket">The connection.</param>
internal sealed class SocketWriter(LoopSocket socket) : GatheringWriter
{
    private bool _isBroken;

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (UnflushedBytes > 0 && !_isBroken && Send() is var sent && sent < UnflushedBytes)
        {
            return SendRestAsync(sent);
        }

        Release();
        return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: _isBroken));
    }

    // As a pipe does whose reader has left, it says of a broken connection that it is complete; the connection's end is told elsewhere.
    private int Send()
    {
        try
        {
            return socket.Send(Gathered.Span);
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
}
