using System.Runtime.CompilerServices;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>What follows the head of an answer that has switched protocols: bytes both ways. Aborting the connection frees whoever reads or writes.</summary>
/// <param name="connection">The connection to the application.</param>
internal sealed class ApplicationStream(ApplicationConnection connection) : AsyncStream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <summary>Reads what is there, or waits for it; into no bytes it only waits.</summary>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        buffer.IsEmpty ? WaitAsync() : ReadPieceAsync(buffer);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => connection.Socket.SendAsync(buffer);

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync()
    {
        if (connection.IsEmptied)
        {
            await connection.Socket.WaitUntilReadableAsync();
        }

        return 0;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> ReadPieceAsync(Memory<byte> buffer)
    {
        int count;
        while ((count = connection.Take(buffer.Span)) == NativeSocket.WouldBlock)
        {
            await connection.Socket.WaitUntilReadableAsync();
        }

        return count;
    }
}
