using System.Net;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>The connections of one target. Each target has its own, so that replacing a target ends them.</summary>
internal sealed class UpstreamHandler : DelegatingHandler
{
    /// <summary>Key under which a request carries its exchange.</summary>
    public static readonly HttpRequestOptionsKey<Exchange> ExchangeKey = new("exchange");

    private UpstreamHandler(SocketsHttpHandler inner)
        : base(inner)
    {
    }

    /// <summary>Prepares connections to a target; the first one is made by the first request.</summary>
    public static TargetConnections Connect(Target target, TimeProvider time)
    {
        var address = IPEndPoint.Parse(target.Address);
        var known = new UpstreamConnections();
        var client = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellationToken) => UpstreamConnection.ConnectAsync(address, known, time, cancellationToken),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = int.MaxValue,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,

            // Application servers close idle connections, the most impatient ones after 5 s. Ours go first, so that no request meets one that is just being closed.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(4),

            // An answer that isn't read to its end takes its connection with it.
            MaxResponseDrainSize = 0,
        };
        return new TargetConnections(new UpstreamHandler(client), known.CloseIdle);
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Options.TryGetValue(ExchangeKey, out var exchange))
        {
            UpstreamConnection.UseFor(exchange);
            if (request.Content is { } content)
            {
                request.Content = new RequestBody(content, exchange);
            }
        }

        while (true)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException e) when (e.InnerException is ClosedWhileIdleException)
            {
                // The drain began in between: there are no more rounds than connections that waited.
            }
        }
    }
}
