using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Controller.Events;

namespace Wunderproxy.Controller.Api;

/// <summary><c>GET /events</c>: what happens on the host, as server-sent events.</summary>
/// <param name="feed">Tells it.</param>
/// <param name="time">Clock of the keep-alive.</param>
/// <param name="stopping">Ends the streams when the Controller stops.</param>
internal sealed class EventCalls(EventFeed feed, TimeProvider time, CancellationToken stopping)
{
    /// <summary>After so long without an event a comment is sent, so that whoever stands in between keeps the connection.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    private const string MediaType = "text/event-stream";
    private static readonly byte[] Beginning = Encoding.UTF8.GetBytes("retry: 1000\n\n");
    private static readonly byte[] Comment = Encoding.UTF8.GetBytes(": all is quiet\n\n");

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/events", EventsAsync);

    private async Task EventsAsync(HttpContext context)
    {
        var listener = feed.Join(context.Request.Headers["Last-Event-ID"], context.Abort) ?? throw new ProblemException(Problems.TooManyListeners(EventFeed.MaxListeners));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            context.Response.ContentType = MediaType;
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await context.Response.Body.WriteAsync(Beginning, end.Token);
            await WriteAsync(listener.Waiting, context.Response.Body, end.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The stream ends as it should; the client comes again.
        }
        finally
        {
            feed.Leave(listener);
        }
    }

    private async Task WriteAsync(ChannelReader<ServerEvent> events, Stream body, CancellationToken cancellationToken)
    {
        do
        {
            while (events.TryRead(out var next))
            {
                await body.WriteAsync(next.Bytes, cancellationToken);
            }

            await body.FlushAsync(cancellationToken);
            if (!await ComesAsync(events, cancellationToken))
            {
                await body.WriteAsync(Comment, cancellationToken);
            }
        }
        while (!events.Completion.IsCompleted);
    }

    // Whether something has come, be it the end, before a comment is due.
    private async Task<bool> ComesAsync(ChannelReader<ServerEvent> events, CancellationToken cancellationToken)
    {
        using var pause = new CancellationTokenSource(KeepAlive, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(pause.Token, cancellationToken);
        try
        {
            await events.WaitToReadAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (pause.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
