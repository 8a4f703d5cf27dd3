using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Http2;

/// <summary>Opens WebSockets on streams of HTTP/2, for clients of either version.</summary>
/// <remarks>Source: RFC 8441, sections 4 and 5.</remarks>
internal static class Http2WebSocket
{
    /// <summary>Makes a request ask for a WebSocket.</summary>
    public static void Ask(HttpRequestMessage request)
    {
        request.Method = HttpMethod.Connect;
        request.Headers.Protocol = "websocket";
        request.Headers.Remove("Sec-WebSocket-Key");
    }

    /// <summary>Carries bytes both ways, once the application has agreed and the head of its answer was taken over.</summary>
    /// <exception cref="IOException">It was broken off.</exception>
    public static async Task CarryAsync(Exchange exchange, string protocol, HttpResponseMessage answer, Claim claim, Patience patience, CancellationToken end)
    {
        var response = exchange.Context.Response;
        if (!exchange.IsMultiplexed)
        {
            response.StatusCode = StatusCodes.Status101SwitchingProtocols;
            response.Headers.SecWebSocketAccept = WebSocketKey.AnswerTo(exchange.Context.Request.Headers.SecWebSocketKey.ToString());
        }

        response.ContentLength = null;
        await using var application = new FlushedStream(await answer.Content.ReadAsStreamAsync(end), patience);
        await Upgrade.CarryAsync(exchange, protocol, application, claim);
    }

    // The client gathers what is written until it is told that no more comes at once.
    private sealed class FlushedStream(Stream inner, Patience patience) : AsyncStream
    {
        public override bool CanRead => true;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            patience.Moved();
            return count;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await inner.WriteAsync(buffer, cancellationToken);
            await inner.FlushAsync(cancellationToken);
            patience.Moved();
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
