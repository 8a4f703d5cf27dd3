using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Kestrel's way to its connections: a few event loops that everything runs on, from a client's bytes to those for it.</summary>
internal sealed class LoopTransport : IConnectionListenerFactory, IDisposable
{
    private readonly EventLoop[] _loops;
    private readonly TimeProvider _time;
    private readonly ClientConnections _clients;

    /// <param name="loops">Number of loops.</param>
    /// <param name="name">Name of the loops' threads.</param>
    /// <param name="time">Clock of pauses and closings.</param>
    /// <param name="clients">Counts clients, and says how many are taken.</param>
    public LoopTransport(int loops, string name, TimeProvider time, ClientConnections clients)
    {
        _loops = [.. Enumerable.Range(0, loops).Select(_ => new EventLoop(name))];
        _time = time;
        _clients = clients;
    }

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is InnerEndPoint inner)
        {
            return new ValueTask<IConnectionListener>(inner.Listener);
        }

        var socket = UnixSocket.Bind(endpoint);
        try
        {
            return new ValueTask<IConnectionListener>(new ClientListener(socket, _loops, _time, _clients));
        }
        catch (System.Net.Sockets.SocketException e) when (e.SocketErrorCode == System.Net.Sockets.SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var loop in _loops)
        {
            loop.Dispose();
        }
    }
}
