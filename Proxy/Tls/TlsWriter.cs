using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Tls;

/// <summary>What Kestrel writes to a connection on which TLS is spoken.</summary>
/// <param name="tls">Encrypts and sends it.</param>
internal sealed class TlsWriter(Stream tls) : GatheringWriter
{
    private bool _isBroken;

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (UnflushedBytes > 0 && !_isBroken)
        {
            return SendAsync();
        }

        Release();
        return new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: _isBroken));
    }

    /// <inheritdoc/>
    public override async ValueTask SendPastAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await tls.WriteAsync(bytes, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            _isBroken = true;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> SendAsync()
    {
        IsSending = true;
        try
        {
            await tls.WriteAsync(Gathered, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            _isBroken = true;
        }

        IsSending = false;
        Release();
        return new FlushResult(isCanceled: false, isCompleted: _isBroken);
    }
}
