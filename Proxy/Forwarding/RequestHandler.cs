using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Http2;
using Wunderproxy.Proxy.Pages;
using Wunderproxy.Proxy.Peers;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Serves one request: checks it, claims the active target, forwards it there, and counts what came of it.</summary>
internal sealed class RequestHandler(TargetTable table, HostService service, RequestHold hold, AcmeDesk acme, OtherHosts? peers, AccessLog? accessLog, ForwardingLog log)
{
    private const int ClientGone = 499;

    /// <summary>Answers a request, whatever happens.</summary>
    public Task HandleAsync(Exchange exchange)
    {
        var context = exchange.Context;
        if (RequestChecks.Refuse(context) is { } refusal)
        {
            return RefuseAsync(exchange, refusal);
        }

        if (RequestChecks.RawTargetOf(context) is "*")
        {
            // A question about the server itself: no application is meant.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            exchange.NameAnswer();
            exchange.Serving = table.Find(RequestChecks.PlaceOf(context));
            if (ConnectionHeader.AsksForClose(context.Request))
            {
                context.Response.Headers.Connection = "close";
            }

            Record(exchange, UntargetedOf(exchange), null);
            return Task.CompletedTask;
        }

        ConnectionHeader.Apply(context.Request);
        return acme.IsUsed && ChallengeOf(context) is { } challenge ? AnswerChallengeAsync(exchange, challenge.Host, challenge.Token) : CollectOrForwardAsync(exchange);
    }

    /// <summary>Answers a request that goes to no application.</summary>
    public async Task RefuseAsync(Exchange exchange, Problem refusal)
    {
        exchange.Serving = table.Find(RequestChecks.PlaceOf(exchange.Context));
        await AnswerAsync(exchange, refusal);
        Record(exchange, UntargetedOf(exchange), null);
    }

    private Task CollectOrForwardAsync(Exchange exchange) => exchange.HasBody && table.Find(RequestChecks.PlaceOf(exchange.Context)) is { } serving && IsCollected(exchange, serving)
        ? CollectAndForwardAsync(exchange, serving)
        : ForwardAsync(exchange);

    // Not of whom nothing is wanted but that it be refused.
    private static bool IsCollected(Exchange exchange, Serving serving) =>
        serving.Collects is { } buffering && BodyKinds.IsCollected(exchange.Context.Request, buffering)
        && !IsStranger(exchange, serving) && (!serving.IsRestricted || RefusalOf(exchange, serving) is null);

    // The request belongs to no release until its body is there.
    private async Task CollectAndForwardAsync(Exchange exchange, Serving serving)
    {
        exchange.Serving = serving;
        if (await CollectAsync(exchange, serving) is not { } problem)
        {
            await ForwardAsync(exchange);
            return;
        }

        if (!exchange.IsClientGone)
        {
            exchange.SayHsts(serving);
            await AnswerAsync(exchange, problem);
        }

        Record(exchange, serving.Untargeted, null);
    }

    private static async ValueTask<Problem?> CollectAsync(Exchange exchange, Serving serving)
    {
        try
        {
            return await exchange.TryCollectAsync(serving.Collects!, serving.Limits.MaxRequestBody) ? null : Problem.TooLarge;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            exchange.Transport.LookForEnd();
            return Problem.Unreadable(e);
        }
    }

    // Hosts whose certificates are not automatic answer for themselves.
    private (string Host, string Token)? ChallengeOf(HttpContext context)
    {
        var token = AcmeChallenge.TokenIn(RequestChecks.OriginFormOf(RequestChecks.RawTargetOf(context)));
        var host = token is null ? default : RequestPlace.WithoutPort(context.Request.Host.Value).TrimEnd('.');
        return token is not null && acme.ApplicationOf(host) is not null ? (host.ToString().ToLowerInvariant(), token) : null;
    }

    private async Task AnswerChallengeAsync(Exchange exchange, string host, string token)
    {
        exchange.Serving = table.Find(RequestChecks.PlaceOf(exchange.Context));
        if (await FindAnswerAsync(exchange, host, token) is { } answer)
        {
            await ProblemPage.WriteChallengeAsync(exchange, answer);
        }
        else
        {
            await AnswerAsync(exchange, Problem.NoTarget);
        }

        Record(exchange, UntargetedOf(exchange), null);
    }

    private async ValueTask<string?> FindAnswerAsync(Exchange exchange, string host, string token)
    {
        try
        {
            return await acme.AnswerAsync(host, token, exchange.Context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    // Tries until it is answered.
    private async Task ForwardAsync(Exchange exchange)
    {
        if (service.IsDrained && IsTurnedAway(exchange))
        {
            await RefuseAsync(exchange, Problem.OutOfService);
            return;
        }

        exchange.IsRepeatable = IsRepeatable(exchange);
        while (table.TryClaim(RequestChecks.PlaceOf(exchange.Context), exchange, out var serving, out var claim)
            ? !await TryServeAsync(exchange, serving!, claim)
            : !await TryAnswerWithoutTargetAsync(exchange, serving))
        {
            exchange.Context.Response.Clear();
        }
    }

    private bool IsTurnedAway(Exchange exchange)
    {
        var place = RequestChecks.PlaceOf(exchange.Context);
        return service.TurnsAway(table.Find(place), place);
    }

    private ValueTask<bool> TryServeAsync(Exchange exchange, Serving serving, Claim claim)
    {
        exchange.Serving = serving;
        if (serving.Standby is null)
        {
            exchange.FoundNoStandby();
        }

        return serving.IsRestricted ? TryAdmitAsync(exchange, serving, claim) : TryForwardAsync(exchange, serving, claim);
    }

    // Who waits for a place has no hold on the target: it may be replaced meanwhile.
    private async ValueTask<bool> TryAdmitAsync(Exchange exchange, Serving serving, Claim claim)
    {
        var context = exchange.Context;
        var refusal = RefusalOf(exchange, serving);
        if (refusal is null && (!serving.WantsPlace(RequestChecks.PlaceOf(context)) || exchange.TryTakePlace(claim)))
        {
            return await TryForwardAsync(exchange, serving, claim);
        }

        claim.Dispose();
        if (refusal is null && GoesBack(exchange, serving, claim))
        {
            return false;
        }

        refusal ??= await hold.WaitForPlaceAsync(exchange, serving);
        if (refusal is null)
        {
            return false;
        }

        if (!exchange.IsClientGone)
        {
            exchange.SayHsts(serving);
            await AnswerAsync(exchange, refusal);
        }

        Record(exchange, serving.Untargeted, null);
        return true;
    }

    private static Problem? RefusalOf(Exchange exchange, Serving serving) =>
        Redirection.Of(exchange, serving)
        ?? (exchange.Context.Request.ContentLength > serving.Limits.MaxRequestBody ? Problem.TooLarge : null);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TryForwardAsync(Exchange exchange, Serving serving, Claim claim)
    {
        Problem? problem;
        Exception? error;
        using (claim)
        {
            if (IsStranger(exchange, serving))
            {
                await RefuseStrangerAsync(exchange, serving);
                return true;
            }

            Introduce(claim, exchange);
            exchange.StrippedPrefix = serving.StrippedPrefix;
            exchange.SayHsts(serving);
            (problem, error) = await (claim.Upstream.Http2 is { } http2
                ? Http2Relay.ForwardAsync(exchange, claim, http2)
                : exchange.Relay.ForwardAsync(claim, exchange.IsRepeatable, exchange.IsRepeated));
            exchange.Client.GaveBack(claim);
            if (problem is null || !NothingWasAnswered(exchange, error))
            {
                await EndAsync(exchange, claim, problem, error);
                return true;
            }
        }

        if (peers is not null && exchange.Visit == StandbyVisit.None && !IsForLackOfDescriptors(error!) && await TryOtherHostAsync(exchange, serving, error is SocketException ? PeerReason.Unreachable : PeerReason.Unanswered))
        {
            return true;
        }

        problem = await RefuseRepetitionAsync(exchange, serving, claim, problem, error!);
        if (problem is not null)
        {
            await EndAsync(exchange, claim, problem, error);
        }

        exchange.IsRepeated = true;
        return problem is not null;
    }

    private static bool IsStranger(Exchange exchange, Serving serving) => serving.RequiresClient && exchange.Peer.ClientSubject is null;

    private async Task RefuseStrangerAsync(Exchange exchange, Serving serving)
    {
        await AnswerAsync(exchange, exchange is { IsSecure: true, IsAskedForCertificate: false } ? Problem.NotAskedForCertificate : Problem.NoClientCertificate);
        Record(exchange, serving.Untargeted, null);
    }

    private static void Introduce(Claim claim, Exchange exchange)
    {
        exchange.Given();
        claim.Describe(RequestChecks.RawTargetOf(exchange.Context), exchange.Began);
        claim.StaysOpen = RequestChecks.WaitsLong(exchange.Context.Request);
        exchange.Client.Claimed(claim);
    }

    // Null: it is to be tried again. What finds nobody may wait for the target as often as it has to. What was sent, or refused, is sent once more at most, for it may be what
    // ended the application; and where it may wait, only after a look whether the application is there.
    private ValueTask<Problem?> RefuseRepetitionAsync(Exchange exchange, Serving serving, Claim claim, Problem problem, Exception error)
    {
        var isAway = error is SocketException;
        if (GoesBack(exchange, serving, claim))
        {
            claim.Upstream.Visits.WasAway();
            exchange.Unanswered += isAway ? 0 : 1;
            return default;
        }

        var isFirst = exchange.Unanswered == 0;
        exchange.Unanswered += isAway ? 0 : 1;
        if (serving.HoldLimit > TimeSpan.Zero && (isAway || isFirst) && !IsForLackOfDescriptors(error))
        {
            return hold.WaitAsync(exchange, serving, claim.Upstream, problem);
        }

        var isRepeated = exchange is { IsRepeatable: true, IsRepeated: false } && IsWorthRepeating(exchange.Context, claim, error);
        return new ValueTask<Problem?>(isRepeated ? null : problem);
    }

    // From a release that stands by to the active one: nobody waits for it, or fails because of it.
    private static bool GoesBack(Exchange exchange, Serving serving, Claim claim)
    {
        if (exchange.Visit == StandbyVisit.None || serving.Upstream is null)
        {
            return false;
        }

        claim.Upstream.Visits.CountSentBack();
        exchange.AvoidStandby();
        return true;
    }

    // False: it goes on here. One that was sent twice without a byte of an answer isn't sent any more.
    private async ValueTask<bool> TryOtherHostAsync(Exchange exchange, Serving? serving, PeerReason reason)
    {
        if (!peers!.TryClaim(exchange, serving, out var host, out var claim))
        {
            return false;
        }

        (exchange.WentToOtherHost, exchange.PeerMark, exchange.StrippedPrefix) = (true, peers.MarkOf(exchange), null);
        exchange.Context.Response.Clear();
        using (claim)
        {
            Introduce(claim, exchange);
            var (problem, error) = await exchange.Relay.ForwardAsync(claim, exchange.IsRepeatable, isRepeated: false);
            exchange.Client.GaveBack(claim);
            exchange.PeerMark = null;
            peers.Leave();
            var goesOn = problem is not null && NothingWasAnswered(exchange, error) && (WasNotSent(error) || reason != PeerReason.Unanswered);
            if (problem is null)
            {
                host.CountAnswered(reason);
            }
            else
            {
                host.CountFailed();
                exchange.Unanswered += WasNotSent(error) ? 0 : 1;
            }

            if (!goesOn)
            {
                await EndAsync(exchange, claim, problem, error, UntargetedOf(exchange));
            }

            return !goesOn;
        }
    }

    private async Task EndAsync(Exchange exchange, Claim claim, Problem? problem, Exception? error, TrafficRecorder? traffic = null)
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

    private async ValueTask<bool> TryAnswerWithoutTargetAsync(Exchange exchange, Serving? serving)
    {
        var context = exchange.Context;
        exchange.Serving = serving;
        exchange.LeavePlace();
        if (serving is not null)
        {
            exchange.SayHsts(serving);
        }

        if (serving is { IsRestricted: true } && RefusalOf(exchange, serving) is { } refusal)
        {
            await AnswerAsync(exchange, refusal);
        }
        else if (serving is not null && serving.AnswersHealthCheck(RequestChecks.PlaceOf(context)))
        {
            await ProblemPage.WriteHealthyAsync(exchange);
        }
        else if (serving?.Maintenance is { } page)
        {
            exchange.Problem = Problem.Maintenance;
            await ProblemPage.WriteMaintenanceAsync(exchange, page);
        }
        else if (serving is null && !table.IsEmpty)
        {
            await AnswerAsync(exchange, Problem.NoApplication);
        }
        else if (serving is not { IsPaused: true })
        {
            if (peers is not null && await TryOtherHostAsync(exchange, serving, PeerReason.NoRelease))
            {
                return true;
            }

            await AnswerAsync(exchange, Problem.NoTarget);
        }
        else if (await hold.WaitAsync(exchange, serving, null, Problem.Paused) is { } problem)
        {
            await AnswerAsync(exchange, problem);
        }
        else
        {
            exchange.IsRepeated = true;
            return false;
        }

        Record(exchange, serving?.Untargeted ?? table.Unclaimed, null);
        return true;
    }

    private static async Task AnswerAsync(Exchange exchange, Problem problem)
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

    // Nothing but a safe request without a body may reach the application twice.
    private static bool IsRepeatable(Exchange exchange) => exchange.Context.Request.Method is "GET" or "HEAD" && !exchange.HasBody;

    // The connection was refused, or was broken off before the answer's first byte.
    private static bool NothingWasAnswered(Exchange exchange, Exception? error) =>
        !exchange.Context.Response.HasStarted && !exchange.IsClientGone
        && (WasNotSent(error) || (exchange.IsRepeatable && error is NothingAnsweredException));

    // To wait for an application that is there would take more of what there is too little of.
    private static bool IsForLackOfDescriptors(Exception error) => error is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets };

    private static bool WasNotSent(Exception? error) => error is SocketException or StreamRefusedException;

    // A target that doesn't even refuse costs a second each time; only its successor is tried after that.
    private bool IsWorthRepeating(HttpContext context, Claim claim, Exception? error) =>
        error is not SocketException { SocketErrorCode: SocketError.TimedOut }
        || !ReferenceEquals(table.Find(RequestChecks.PlaceOf(context))?.Upstream, claim.Upstream);

    private TrafficRecorder UntargetedOf(Exchange exchange) => exchange.Serving?.Untargeted ?? table.Unclaimed;

    private void Record(Exchange exchange, TrafficRecorder traffic, Claim? claim)
    {
        var context = exchange.Context;
        var isGone = !context.Response.HasStarted && exchange.IsClientGone;
        var status = isGone ? ClientGone : exchange.Problem?.Status ?? context.Response.StatusCode;
        var duration = traffic.Record(status, exchange.Began, exchange.BytesIn, exchange.ResponseBody.Written, claim is { IsStream: true });
        accessLog?.Write(AccessEntry.Of(exchange, status, duration, claim));
    }
}
