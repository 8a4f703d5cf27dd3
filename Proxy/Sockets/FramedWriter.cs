using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>What Kestrel writes to a client of HTTP/2, between whose frames others may be sent.</summary>
/// <remarks>Kestrel flushes whole frames only, and writes nothing while a flush is under way. So what is sent between two flushes stands between two frames.</remarks>
/// <param name="output">Where it goes.</param>
[SuppressMessage("Design", "CA1001", Justification = "The semaphore has something to dispose of only where its handle was asked for.")]
internal sealed class FramedWriter(GatheringWriter output) : PipeWriter
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => output.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => output.UnflushedBytes;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => output.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => output.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes) => output.Advance(bytes);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => output.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => output.Complete(exception);

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            return await output.FlushAsync(cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends a frame past Kestrel. It ends with the connection at the latest.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> frame)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            await output.SendPastAsync(frame);
        }
        finally
        {
            _turn.Release();
        }
    }
}
