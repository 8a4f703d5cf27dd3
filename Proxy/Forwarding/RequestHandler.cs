using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;
using Yarp.ReverseProxy.Forwarder;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Serves one request: checks it, claims the active target, forwards it there, and counts what came of it.</summary>
internal sealed class RequestHandler(TargetTable table, IHttpForwarder forwarder, AccessLog? accessLog, ForwardingLog log)
{
    private const int ClientGone = 499;

    // Neither side has sent a byte for so long: the exchange is given up. Applications' own limits are shorter; this one is for lost peers.
    private static readonly ForwarderRequestConfig Config = new()
    {
        ActivityTimeout = TimeSpan.FromMinutes(10),
        Version = System.Net.HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Answers a request, whatever happens.</summary>
    public async Task HandleAsync(Exchange exchange)
    {
        var context = exchange.Context;
        if (RequestChecks.Refuse(context) is { } refusal)
        {
            await AnswerAsync(context, refusal);
            Record(exchange, UntargetedOf(context), null);
            return;
        }

        if (RequestChecks.RawTargetOf(context) is "*")
        {
            // A question about the server itself: no application is meant.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            if (ConnectionHeader.AsksForClose(context.Request))
            {
                context.Response.Headers.Connection = "close";
            }

            Record(exchange, UntargetedOf(context), null);
            return;
        }

        ConnectionHeader.Apply(context.Request);
        ForwardedHeaders.Apply(context.Request, context.Features.GetRequiredFeature<Peer>());
        if (!await TryForwardAsync(exchange, mayRepeat: IsRepeatable(context)))
        {
            await TryForwardAsync(exchange, mayRepeat: false);
        }
    }

    private async Task<bool> TryForwardAsync(Exchange exchange, bool mayRepeat)
    {
        if (!table.TryClaim(RequestChecks.PlaceOf(exchange.Context), out var serving, out var claim))
        {
            await AnswerWithoutTargetAsync(exchange.Context, serving);
            Record(exchange, serving?.Untargeted ?? table.Unclaimed, null);
            return true;
        }

        using (claim)
        {
            var (problem, error) = await ForwardAsync(exchange, claim);
            if (mayRepeat && problem is not null && NothingWasAnswered(exchange.Context, error) && IsWorthRepeating(exchange.Context, claim, error))
            {
                exchange.Context.Response.Clear();
                exchange.Context.Features.Set<IForwarderErrorFeature>(null);
                return false;
            }

            await FinishAsync(exchange, problem);
            Record(exchange, claim.Upstream.Traffic, claim);
            return true;
        }
    }

    private async Task<(Problem? Problem, Exception? Error)> ForwardAsync(Exchange exchange, Claim claim)
    {
        var context = exchange.Context;
        var transformer = new ForwardingTransformer(exchange, claim);
        try
        {
            var upstream = claim.Upstream;
            var result = await forwarder.SendAsync(context, upstream.Origin, upstream.Connections, Config, transformer, claim.Cut);
            var error = result == ForwarderError.None ? null : context.GetForwarderErrorFeature()?.Exception;
            var problem = ProblemOf(exchange, result, transformer, claim);
            if (problem is not null)
            {
                log.Failed(claim.Upstream.Target, result, error);
            }

            return (problem, error);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            log.Failed(claim.Upstream.Target, ForwarderError.None, e);
            return (Problem.InvalidAnswer, e);
        }
    }

    private static Problem? ProblemOf(Exchange exchange, ForwarderError result, ForwardingTransformer transformer, Claim claim)
    {
        if (transformer.RefusedAnswer)
        {
            return Problem.InvalidAnswer;
        }

        if (transformer.RefusedHost)
        {
            return Problem.Refused(StatusCodes.Status400BadRequest, "The Host header names no host.");
        }

        if (exchange.HasInvalidTrailers)
        {
            return Problem.Refused(StatusCodes.Status400BadRequest, "A trailer has a character that headers can't have.");
        }

        return result switch
        {
            ForwarderError.None => null,
            _ when claim.Cut.IsCancellationRequested => Problem.DrainOver,
            _ when exchange.IsLeft => Problem.Unreachable,

            // The application answered without having read the whole body. Its answer is a good one.
            ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient or ForwarderError.RequestBodyDestination
                when transformer.Answered => null,
            ForwarderError.RequestBodyClient => Problem.Refused(exchange.Context.Response.StatusCode, "The request's body could not be read."),
            ForwarderError.RequestTimedOut => Problem.TimedOut,
            ForwarderError.ResponseHeaders => Problem.InvalidAnswer,
            _ => Problem.Unreachable,
        };
    }

    private static async Task FinishAsync(Exchange exchange, Problem? problem)
    {
        var context = exchange.Context;
        if (exchange.ResponseBody.IsUnfinished || (problem is not null && context.Response.HasStarted))
        {
            // A body that was cut short must not look like a whole one.
            context.Abort();
        }
        else if (problem is not null && !context.RequestAborted.IsCancellationRequested)
        {
            await AnswerAsync(context, problem);
        }
    }

    private async Task AnswerWithoutTargetAsync(HttpContext context, Serving? serving)
    {
        if (serving?.Maintenance is { } page)
        {
            await ProblemPage.WriteMaintenanceAsync(context, page);
        }
        else
        {
            await AnswerAsync(context, serving is null && !table.IsEmpty ? Problem.NoApplication : Problem.NoTarget);
        }
    }

    private static async Task AnswerAsync(HttpContext context, Problem problem)
    {
        try
        {
            await ProblemPage.WriteAsync(context, problem);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client is gone.
            context.Abort();
        }
    }

    // Nothing but a safe request without a body may reach the application twice.
    private static bool IsRepeatable(HttpContext context) =>
        context.Request.Method is "GET" or "HEAD" && !context.Features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody;

    // The connection was refused, or was broken off before the answer's first byte.
    private static bool NothingWasAnswered(HttpContext context, Exception? error) =>
        !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested
        && error is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.ResponseEnded }
            or HttpRequestException { InnerException: IOException { InnerException: System.Net.Sockets.SocketException } };

    // A target that doesn't even refuse costs a second each time; only its successor is tried after that.
    private bool IsWorthRepeating(HttpContext context, Claim claim, Exception? error) =>
        error?.GetBaseException() is not System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.TimedOut }
        || !ReferenceEquals(table.Find(RequestChecks.PlaceOf(context))?.Upstream, claim.Upstream);

    private TrafficRecorder UntargetedOf(HttpContext context) => table.Find(RequestChecks.PlaceOf(context))?.Untargeted ?? table.Unclaimed;

    private void Record(Exchange exchange, TrafficRecorder traffic, Claim? claim)
    {
        var context = exchange.Context;
        var isGone = context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted;
        var status = isGone ? ClientGone : context.Response.StatusCode;
        var duration = traffic.Record(status, exchange.Began, exchange.BytesIn, exchange.ResponseBody.Written, claim is { IsStream: true });
        accessLog?.Write(context, status, exchange.ResponseBody.Written, duration, claim?.Upstream.Target);
    }
}
