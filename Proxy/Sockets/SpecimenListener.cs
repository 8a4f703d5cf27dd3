using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A listener of which Kestrel gets one connection only, to show how it serves one: the loops serve all clients in the same way themselves.</summary>
/// <remarks>
/// Kestrel would make objects of its own for each connection and serve it on a thread of the pool, while the answer of the application comes on a loop's thread. What that cost
/// was half of what a new connection costs. It gives no way around it but this: its connection middleware is called for the specimen, and what follows in the chain serves any connection
/// that has the specimen's features. The limits of time and the end of all connections, which Kestrel sees to for its own ones, are <see cref="ClientListener"/>'s.
/// </remarks>
/// <param name="clients">Takes the clients.</param>
internal sealed class SpecimenListener(ClientListener clients) : IConnectionListener
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isShown;

    /// <inheritdoc/>
    public EndPoint EndPoint => clients.EndPoint;

    /// <summary>Connection middleware, the first one: sees the specimen only.</summary>
    public static ConnectionDelegate Watch(ConnectionDelegate next) => connection =>
    {
        connection.Features.GetRequiredFeature<SpecimenListener>().Begin(next, connection.Features);
        return Task.CompletedTask;
    };

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (!_isShown)
        {
            _isShown = true;
            return new Specimen(this);
        }

        await _over.Task.WaitAsync(cancellationToken);
        return null;
    }

    /// <inheritdoc/>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _over.TrySetResult();
        await clients.CloseAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => UnbindAsync();

    private void Begin(ConnectionDelegate serve, IFeatureCollection features) => clients.Begin(serve, features);

    private sealed class Specimen : ConnectionContext
    {
        public Specimen(SpecimenListener listener) => Features.Set(listener);

        public override IDuplexPipe Transport { get; set; } = new Pipe(PipeReader.Create(Stream.Null), PipeWriter.Create(Stream.Null));

        public override string ConnectionId { get; set; } = "specimen";

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();
    }

    private sealed record Pipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
