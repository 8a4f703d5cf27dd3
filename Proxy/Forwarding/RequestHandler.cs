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
internal sealed class RequestHandler(TargetTable table, HostService service, RequestHold hold, RequestEnd end, AcmeDesk acme, OtherHosts? peers)
{
    /// <summary>Answers a request, whatever happens.</summary>
    public Task HandleAsync(Exchange exchange)
    {
        var context = exchange.Context;
        if (exchange.IsClientGone)
        {
            // It was sent behind another one, and nobody waits for its answer any more.
            exchange.Serving = table.Find(RequestChecks.PlaceOf(context));
            context.Abort();
            end.RecordUntargeted(exchange);
            return Task.CompletedTask;
        }

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

            end.RecordUntargeted(exchange);
            return Task.CompletedTask;
        }

        ConnectionHeader.Apply(context.Request);
        return ChallengeRequest.TryRead(exchange, acme, out var challenge) ? AnswerChallengeAsync(exchange, challenge) : CollectOrForwardAsync(exchange);
    }

    /// <summary>Answers a request that goes to no application.</summary>
    public async Task RefuseAsync(Exchange exchange, Problem refusal)
    {
        exchange.Serving = table.Find(RequestChecks.PlaceOf(exchange.Context));
        await RequestEnd.AnswerAsync(exchange, refusal);
        end.RecordUntargeted(exchange);
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
            await RequestEnd.AnswerAsync(exchange, problem);
        }

        end.RecordUntargeted(exchange);
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

    private async Task AnswerChallengeAsync(Exchange exchange, ChallengeRequest challenge)
    {
        exchange.Serving = table.Find(RequestChecks.PlaceOf(exchange.Context));
        if (await challenge.FindAnswerAsync(acme, exchange.Context.RequestAborted) is { } answer)
        {
            await ProblemPage.WriteChallengeAsync(exchange, answer);
        }
        else
        {
            await RequestEnd.AnswerAsync(exchange, Problem.NoTarget);
        }

        end.RecordUntargeted(exchange);
    }

    private Task ForwardAsync(Exchange exchange) => service.IsDrained && IsTurnedAway(exchange)
        ? RefuseAsync(exchange, Problem.OutOfService)
        : TryUntilAnsweredAsync(exchange);

    // What is awaited here is kept for each request that waits for its application.
    private async Task TryUntilAnsweredAsync(Exchange exchange)
    {
        exchange.IsRepeatable = Repetition.IsAllowed(exchange);
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
            await RequestEnd.AnswerAsync(exchange, refusal);
        }

        end.RecordUntargeted(exchange);
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
                await RefuseStrangerAsync(exchange);
                return true;
            }

            Introduce(claim, exchange);
            exchange.StrippedPrefix = serving.StrippedPrefix;
            exchange.SayHsts(serving);
            (problem, error) = await (claim.Upstream.Http2 is { } http2
                ? Http2Relay.ForwardAsync(exchange, claim, http2)
                : exchange.Relay.ForwardAsync(claim, exchange.IsRepeatable, exchange.IsRepeated));
            exchange.Client.GaveBack(claim);
            if (problem is null || !Repetition.IsPossible(exchange, error))
            {
                await end.EndAsync(exchange, claim, problem, error);
                return true;
            }
        }

        if (peers is not null && exchange.Visit == StandbyVisit.None && !Repetition.IsForLackOfDescriptors(error!) && await TryOtherHostAsync(exchange, serving, error is SocketException ? PeerReason.Unreachable : PeerReason.Unanswered))
        {
            return true;
        }

        problem = await RefuseRepetitionAsync(exchange, serving, claim, problem, error!);
        if (problem is not null)
        {
            await end.EndAsync(exchange, claim, problem, error);
        }

        exchange.IsRepeated = true;
        return problem is not null;
    }

    private static bool IsStranger(Exchange exchange, Serving serving) => serving.RequiresClient && exchange.Peer.ClientSubject is null;

    private async Task RefuseStrangerAsync(Exchange exchange)
    {
        await RequestEnd.AnswerAsync(exchange, exchange is { IsSecure: true, IsAskedForCertificate: false } ? Problem.NotAskedForCertificate : Problem.NoClientCertificate);
        end.RecordUntargeted(exchange);
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
        if (serving.HoldLimit > TimeSpan.Zero && (isAway || isFirst) && !Repetition.IsForLackOfDescriptors(error))
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

        (exchange.WentToOtherHost, exchange.StrippedPrefix) = (true, null);
        exchange.Context.Response.Clear();
        using (claim)
        {
            var (problem, error) = await AskOtherHostAsync(exchange, claim);
            var goesOn = problem is not null && Repetition.IsPossible(exchange, error) && (Repetition.WasNotSent(error) || reason != PeerReason.Unanswered);
            if (problem is null)
            {
                host.CountAnswered(reason);
            }
            else
            {
                host.CountFailed();
                exchange.Unanswered += Repetition.WasNotSent(error) ? 0 : 1;
            }

            if (!goesOn)
            {
                await end.EndAsync(exchange, claim, problem, error, end.UntargetedOf(exchange));
            }

            return !goesOn;
        }
    }

    private async ValueTask<(Problem? Problem, Exception? Error)> AskOtherHostAsync(Exchange exchange, Claim claim)
    {
        exchange.PeerMark = peers!.MarkOf(exchange);
        try
        {
            Introduce(claim, exchange);
            return await exchange.Relay.ForwardAsync(claim, exchange.IsRepeatable, isRepeated: false);
        }
        finally
        {
            exchange.Client.GaveBack(claim);
            exchange.PeerMark = null;
            peers.Leave();
        }
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
            await RequestEnd.AnswerAsync(exchange, refusal);
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
            await RequestEnd.AnswerAsync(exchange, Problem.NoApplication);
        }
        else if (serving is not { IsPaused: true })
        {
            if (peers is not null && await TryOtherHostAsync(exchange, serving, PeerReason.NoRelease))
            {
                return true;
            }

            await RequestEnd.AnswerAsync(exchange, Problem.NoTarget);
        }
        else if (await hold.WaitAsync(exchange, serving, null, Problem.Paused) is { } problem)
        {
            await RequestEnd.AnswerAsync(exchange, problem);
        }
        else
        {
            exchange.IsRepeated = true;
            return false;
        }

        end.RecordUntargeted(exchange);
        return true;
    }

    // A target that doesn't even refuse costs a second each time; only its successor is tried after that.
    private bool IsWorthRepeating(HttpContext context, Claim claim, Exception? error) =>
        error is not SocketException { SocketErrorCode: SocketError.TimedOut }
        || !ReferenceEquals(table.Find(RequestChecks.PlaceOf(context))?.Upstream, claim.Upstream);
}
