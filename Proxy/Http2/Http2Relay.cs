using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Http2;

/// <summary>Carries a request over to an application that speaks HTTP/2, and the answer back: both at once, as long as both sides send.</summary>
/// <remarks>
/// The standard client does the protocol: streams, flow control, compressed headers. It passes over interim answers other than 100, and can't send trailers of requests; these end here.
/// It sends requests that the application has not begun with once more by itself, three times at most.
/// </remarks>
internal static class Http2Relay
{
    /// <summary>Forwards a request.</summary>
    /// <param name="exchange">The request and the answer.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <param name="connections">Connections to the target.</param>
    /// <returns>What to answer instead of the application, and why; absent: the application has answered.</returns>
    public static async ValueTask<(Problem? Problem, Exception? Error)> ForwardAsync(Exchange exchange, Claim claim, Http2Connections connections)
    {
        var context = exchange.Context;
        claim.StaysOpen |= Grpc.IsSpokenBy(context.Request);
        var asked = Upgrade.AskedBy(context) is { } protocol && Upgrade.IsWebSocket(protocol) ? protocol : null;
        using var patience = new Patience(claim.Upstream.Limits, claim.StaysOpen, claim.Upstream.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, claim.Cut, patience.Over);
        using var body = asked is null && exchange.HasBody ? new Http2RequestBody(exchange, claim.Upstream.Limits.MaxRequestBody, patience) : null;
        using var request = Http2Request.Of(exchange, claim.Upstream.Target.Address, body);
        if (Http2Request.LacksHost(request, context.Request))
        {
            return (Problem.Refused(StatusCodes.Status400BadRequest, "The Host header names no host."), null);
        }

        HttpResponseMessage? response = null;
        try
        {
            response = await SendAsync(exchange, connections, request, asked, patience, end.Token);
            await PassOnAsync(exchange, response, asked, claim, patience, end.Token);
            return (null, null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var failure = Http2Failure.Of(e, response is not null, body is { IsTaken: true });
            return (ProblemOf(failure, body, patience, claim), failure);
        }
        finally
        {
            response?.Dispose();
            await (body?.EndAsync() ?? Task.CompletedTask);
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(
        Exchange exchange, Http2Connections connections, HttpRequestMessage request, string? protocol, Patience patience, CancellationToken end)
    {
        if (protocol is not null)
        {
            Http2WebSocket.Ask(request);
        }
        else
        {
            LetBodyStayOpen(exchange);
        }

        if (protocol is not null || !exchange.HasBody)
        {
            patience.Sent();
        }

        var response = await connections.SendAsync(request, end);
        patience.Answered();
        return response;
    }

    private static Task PassOnAsync(Exchange exchange, HttpResponseMessage response, string? protocol, Claim claim, Patience patience, CancellationToken end)
    {
        var answer = new Http2Answer(exchange, response, patience);
        if (protocol is null || !response.IsSuccessStatusCode)
        {
            return answer.PassOnAsync(claim, end);
        }

        answer.TakeHead(claim);
        return Http2WebSocket.CarryAsync(exchange, protocol, response, claim, patience, end);
    }

    // Both sides of a call may be silent for long. Of HTTP/2 the server takes no other rate.
    private static void LetBodyStayOpen(Exchange exchange)
    {
        if (exchange.IsMultiplexed && exchange.Context.Request.ContentLength is null)
        {
            exchange.Context.Features.GetRequiredFeature<IHttpMinRequestBodyDataRateFeature>().MinDataRate = null;
        }
    }

    private static Problem? ProblemOf(Exception failure, Http2RequestBody? body, Patience patience, Claim claim) => failure switch
    {
        _ when claim.IsCut => Problem.DrainOver,
        _ when patience.IsOver => Problem.TimedOut,
        _ when body is { IsTooLarge: true } => Problem.TooLarge,
        ReplacedAnswerException replaced => Problem.Answered(replaced.Status),
        _ when body?.ClientFailure is { } reason => Problem.Unreadable(reason),
        NoWebSocketsException => Problem.NoWebSockets,
        InvalidAnswerException => Problem.InvalidAnswer,
        AnswerTooLargeException => Problem.AnswerTooLarge,
        _ => Problem.Unreachable,
    };
}
