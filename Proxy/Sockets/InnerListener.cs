using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A listener without a socket: connections are handed over to it in this process. Those who come in greater number than it can take are closed.</summary>
/// <param name="time">Clock of how long a connection's end may take.</param>
internal sealed class InnerListener(TimeProvider time) : IConnectionListener
{
    private const int MaxWaiting = 1024;

    private readonly Channel<ConnectionContext> _handed =
        Channel.CreateBounded<ConnectionContext>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    /// <summary>Where a server listens to take from it.</summary>
    public EndPoint EndPoint => new InnerEndPoint(this);

    /// <summary>Hands a connection over.</summary>
    /// <param name="connection">The connection, which still belongs to the caller.</param>
    /// <returns>Ends when whoever took it has done with it, or at once where nobody takes it.</returns>
    public Task HandOverAsync(ConnectionContext connection)
    {
        connection.Features.Get<ClientTransport>()?.Keep();
        var handed = new HandedConnection(connection, time);
        return _handed.Writer.TryWrite(handed) ? handed.Ended : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _handed.Reader.WaitToReadAsync(cancellationToken))
        {
            if (_handed.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _handed.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        while (_handed.Reader.TryRead(out var connection))
        {
            await connection.DisposeAsync();
        }
    }
}

/// <summary>The address of a listener in this process.</summary>
/// <param name="listener">The listener.</param>
internal sealed class InnerEndPoint(InnerListener listener) : EndPoint
{
    /// <summary>The listener.</summary>
    public InnerListener Listener => listener;

    /// <inheritdoc/>
    public override string ToString() => "inner";
}
