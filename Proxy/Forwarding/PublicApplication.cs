using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.SlowClients;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>What the public server calls for each request: no middleware, no routing, nothing that isn't needed.</summary>
internal sealed class PublicApplication(RequestHandler handler, ForwardingRules rules, BufferStore buffers, TimeProvider time) : IHttpApplication<Exchange>
{
    private readonly RequestIds _ids = new();

    /// <inheritdoc/>
    public Exchange CreateContext(IFeatureCollection contextFeatures)
    {
        var exchange = (contextFeatures as IHostContextContainer<Exchange>)?.HostContext ?? new Exchange(rules, _ids, buffers, time);
        if (contextFeatures is IHostContextContainer<Exchange> connection)
        {
            connection.HostContext = exchange;
        }

        exchange.Begin(contextFeatures);
        return exchange;
    }

    /// <inheritdoc/>
    public Task ProcessRequestAsync(Exchange context) =>
        context.Client.RequestBegan() ? handler.HandleAsync(context) : handler.RefuseAsync(context, Problem.TooManyStreams);

    /// <inheritdoc/>
    public void DisposeContext(Exchange context, Exception? exception)
    {
        context.Client.RequestEnded();
        context.End();
    }
}
