using System.Net.WebSockets;
using System.Text;

namespace Wunderproxy.SampleApplication;

/// <summary>Endless answers: server-sent events and WebSocket.</summary>
internal sealed class Streams(Settings settings, TimeProvider time)
{
    private const int MessageSize = 64 * 1024;

    /// <summary><c>/sse?n=10&amp;ms=100</c>: so many events whose data is the version.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        var cancellationToken = context.RequestAborted;
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        var events = context.Number("n", 10);
        for (var id = 0; id < events; id++)
        {
            await context.Response.WriteAsync($"id: {id}\ndata: {settings.Version}\n\n", cancellationToken);
            await context.Response.Body.FlushAsync(cancellationToken);
            await Task.Delay(context.Milliseconds("ms", 100), time, cancellationToken);
        }
    }

    /// <summary><c>/ws</c>: says its version, then sends every message back.</summary>
    public async Task WebSocketAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await socket.SendAsync(Encoding.UTF8.GetBytes(settings.Version), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        await EchoAsync(socket, context.RequestAborted);
    }

    private static async Task EchoAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var message = new byte[MessageSize];
        while (true)
        {
            var received = await socket.ReceiveAsync(message, cancellationToken);
            if (received.MessageType == WebSocketMessageType.Close)
                break;
            await socket.SendAsync(message.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, cancellationToken);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }
}
