using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Kestrel's way to its connections: a few event loops that everything runs on, from a client's bytes to those for it.</summary>
internal sealed class LoopTransport : IConnectionListenerFactory, IDisposable
{
    private readonly EventLoop[] _loops;
    private readonly TimeProvider _time;
    private readonly ClientConnections _clients;
    private readonly ILogger<ClientListener> _logger;
    private readonly List<ClientListener> _listeners = [];

    /// <param name="loops">Number of loops.</param>
    /// <param name="name">Name of the loops' threads.</param>
    /// <param name="time">Clock of pauses and closings.</param>
    /// <param name="clients">Counts clients, and says how many are taken.</param>
    /// <param name="logger">Where it is told that serving a client failed.</param>
    public LoopTransport(int loops, string name, TimeProvider time, ClientConnections clients, ILogger<ClientListener> logger)
    {
        _loops = [.. Enumerable.Range(0, loops).Select(_ => new EventLoop(name))];
        _time = time;
        _clients = clients;
        _logger = logger;
    }

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is InnerEndPoint inner)
        {
            return new ValueTask<IConnectionListener>(inner.Listener);
        }

        return new ValueTask<IConnectionListener>(new SpecimenListener(Listen(endpoint)));
    }

    /// <summary>Listens on an address; clients are taken once it is told how.</summary>
    /// <exception cref="AddressInUseException">Somebody else listens on it.</exception>
    public ClientListener Listen(EndPoint endpoint)
    {
        var socket = UnixSocket.Bind(endpoint);
        try
        {
            var listener = new ClientListener(socket, _loops, _time, _clients, _logger);
            _listeners.Add(listener);
            return listener;
        }
        catch (System.Net.Sockets.SocketException e) when (e.SocketErrorCode == System.Net.Sockets.SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            throw new AddressInUseException(e.Message, e);
        }
    }

    /// <summary>Waits until the clients' connections have ended, once no more are taken.</summary>
    /// <param name="cancellationToken">Breaks off those that are left.</param>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_listeners.Select(listener => listener.EndAsync(cancellationToken)));
        foreach (var listener in _listeners)
        {
            await listener.DisposeAsync();
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
