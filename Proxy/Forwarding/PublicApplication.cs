using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>What the public server calls for each request: no middleware, no routing, nothing that isn't needed.</summary>
internal sealed class PublicApplication(RequestHandler handler, TimeProvider time) : IHttpApplication<Exchange>
{
    /// <inheritdoc/>
    public Exchange CreateContext(IFeatureCollection contextFeatures)
    {
        var exchange = (contextFeatures as IHostContextContainer<Exchange>)?.HostContext ?? new Exchange();
        if (contextFeatures is IHostContextContainer<Exchange> connection)
        {
            connection.HostContext = exchange;
        }

        exchange.Begin(contextFeatures, time.GetTimestamp());
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
