using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Pages;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>How a request ends: what of its answer is left, what the Proxy says in the place of the application, and what is counted.</summary>
/// <param name="table">What is served.</param>
/// <param name="accessLog">Gets a line for each request; absent: nobody wants one.</param>
/// <param name="log">Tells of applications that fail.</param>
internal sealed class RequestEnd(TargetTable table, AccessLog? accessLog, ForwardingLog log)
{
    private const int ClientGone = 499;

    /// <summary>Answers with what the Proxy itself has to say, where the client is still there.</summary>
    public static async Task AnswerAsync(Exchange exchange, Problem problem)
    {
        exchange.Problem = problem;
        try
        {
            await ProblemPage.WriteAsync(exchange, problem);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The client is gone.
            exchange.Context.Abort();
        }
    }

    /// <summary>Ends a request that was forwarded.</summary>
    /// <param name="exchange">The request and the answer.</param>
    /// <param name="claim">The hold on its target.</param>
    /// <param name="problem">What is to be answered instead of the application; absent: it has answered.</param>
    /// <param name="error">Why.</param>
    /// <param name="traffic">What it counts for; absent: the target.</param>
    public async Task EndAsync(Exchange exchange, Claim claim, Problem? problem, Exception? error, TrafficRecorder? traffic = null)
    {
        if (exchange.Visit != StandbyVisit.None)
        {
            claim.Upstream.Visits.Count(exchange.Visit);
        }

        if (problem is { IsTheApplications: false } && (claim.IsCut || !exchange.IsClientGone))
        {
            log.Failed(claim.Upstream.Target, problem, error);
        }

        if (exchange.HasRest)
        {
            // The release has done all that it had to.
            exchange.GaveAll();
            claim.Dispose();
            await DeliverRestAsync(exchange);
        }

        await FinishAsync(exchange, problem);
        Record(exchange, traffic ?? claim.Upstream.Traffic, claim);
    }

    /// <summary>What a request without a target counts for.</summary>
    public TrafficRecorder UntargetedOf(Exchange exchange) => exchange.Serving?.Untargeted ?? table.Unclaimed;

    /// <summary>Counts a request that has ended without a target, and writes its line.</summary>
    public void RecordUntargeted(Exchange exchange) => Record(exchange, UntargetedOf(exchange), null);

    // Counts a request that has ended, and writes its line.
    private void Record(Exchange exchange, TrafficRecorder traffic, Claim? claim)
    {
        var context = exchange.Context;
        var isGone = !context.Response.HasStarted && exchange.IsClientGone;
        var status = isGone ? ClientGone : exchange.Problem?.Status ?? context.Response.StatusCode;
        var duration = traffic.Record(status, exchange.Began, exchange.BytesIn, exchange.ResponseBody.Written, claim is { IsStream: true });
        accessLog?.Write(AccessEntry.Of(exchange, status, duration, claim));
    }

    private static async ValueTask DeliverRestAsync(Exchange exchange)
    {
        if (!await exchange.Relay.DeliverRestAsync())
        {
            exchange.Context.Abort();
        }
    }

    private static Task FinishAsync(Exchange exchange, Problem? problem)
    {
        var context = exchange.Context;
        if (problem is not null && context.Response.HasStarted && Grpc.TryEnd(context, problem))
        {
            return Task.CompletedTask;
        }

        if (exchange.ResponseBody.IsUnfinished || (problem is not null && context.Response.HasStarted))
        {
            // A body that was cut short must not look like a whole one.
            context.Abort();
        }
        else if (problem is not null && !exchange.IsClientGone)
        {
            return AnswerAsync(exchange, problem);
        }

        return Task.CompletedTask;
    }
}
