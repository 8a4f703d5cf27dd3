using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Carries requests of one client's connection over to their targets, one after another, and the answers back, on the client's event loop where the server doesn't begin them on another thread, as it does in HTTP/2.</summary>
/// <param name="exchange">The request and the answer.</param>
internal sealed class Relay(Exchange exchange) : IDisposable
{
    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(1);

    private readonly RelayedRequest _request = new(exchange);
    private readonly RelayedAnswer _answer = new(exchange);

    /// <summary>The answer's body on its way to the client, for who takes answers from other connections than this one's.</summary>
    public PacedAnswer Paced => _answer.Paced;

    /// <summary>Whether something of the answer is still on its way to the client, though the application has given all of it.</summary>
    public bool HasRest => _answer.Paced.HasRest;

    /// <summary>Waits until the client has taken the rest of the answer, or is gone.</summary>
    /// <returns>Whether it has taken it.</returns>
    public ValueTask<bool> DeliverRestAsync() => _answer.Paced.DeliverRestAsync();

    /// <summary>Gives memory back once a request has ended; the next one takes some anew.</summary>
    public void Dispose()
    {
        _request.Dispose();
        _answer.Paced.Release();
    }

    /// <summary>Forwards a request.</summary>
    /// <param name="claim">The hold on the target.</param>
    /// <param name="isRepeatable">Whether it may be sent again if the connection turns out to be closed.</param>
    /// <param name="isRepeated">Whether it is: then on a new connection.</param>
    /// <returns>What to answer instead of the application, and why; absent: the application has answered.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<(Problem? Problem, Exception? Error)> ForwardAsync(Claim claim, bool isRepeatable, bool isRepeated)
    {
        var pool = claim.Upstream.Pool;
        ApplicationConnection? connection = null;
        var isKept = false;
        try
        {
            _request.Prepare(exchange.HasBody);
            connection = isRepeated ? null : pool.TryTake(exchange.Transport.Loop, isProvenAlive: !isRepeatable);
            connection ??= await pool.ConnectAsync(exchange.Transport.Loop);
            exchange.EndsToo(connection.Socket);
            claim.EndsToo(connection.Socket);
            connection.Begin(mayWaitLong: claim.StaysOpen);
            _answer.Begin();
            if (_request.HasBody)
            {
                isKept = await ExchangeWithBodyAsync(connection, claim);
                return (null, null);
            }

            await _request.SendAsync(connection);
            while (!connection.TryReadHead())
            {
                await (connection.HasInterim ? _answer.PassInterimOnAsync(connection.Head) : connection.Socket.WaitUntilReadableAsync());
            }

            if (_request.Protocol is { } protocol && connection.Head.SwitchesTo(protocol))
            {
                await SwitchAsync(protocol, connection, claim);
                return (null, null);
            }

            if (Upgrade.IsConnect(exchange.Context.Request) && connection.Head.Status is >= 200 and < 300)
            {
                // Such a status would say that it has begun.
                throw new InvalidAnswerException("It doesn't begin the WebSocket that was asked for.");
            }

            isKept = await _answer.PassOnAsync(connection, claim) && _request.IsWhole;
            return (null, null);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return (ProblemOf(e, connection, claim), _answer.HasInterims && e is NothingAnsweredException ? new AnswerCutShortException() : e);
        }
        finally
        {
            exchange.EndsToo(null);
            claim.EndsToo(null);
            GiveBack(pool, connection, isKept);
        }
    }

    private static void GiveBack(ConnectionPool pool, ApplicationConnection? connection, bool isKept)
    {
        if (connection is null)
        {
            return;
        }

        if (isKept && !connection.Socket.IsAborted)
        {
            pool.Return(connection);
        }
        else
        {
            pool.Drop(connection);
        }
    }

    private Task SwitchAsync(string protocol, ApplicationConnection connection, Claim claim)
    {
        // What ends with what is settled between the two sides from here on.
        exchange.EndsToo(null);
        claim.EndsToo(null);
        _answer.TakeSwitch(connection.Head, claim);
        return Upgrade.CarryAsync(exchange, protocol, connection.Upgraded, claim);
    }

    // The application may answer while the body is still being sent, and need not take the rest of it, or any.
    private async ValueTask<bool> ExchangeWithBodyAsync(ApplicationConnection connection, Claim claim)
    {
        if (_request.WaitsToGoOn && !await IsBodyWantedAsync(connection, claim.Upstream.Time))
        {
            await _answer.PassOnAsync(connection, claim);
            return false;
        }

        var sending = _request.SendWithBodyAsync(connection, claim.Upstream.Limits.MaxRequestBody);
        try
        {
            while (!connection.TryReadHead())
            {
                await (connection.HasInterim ? _answer.PassInterimOnAsync(connection.Head) : connection.Socket.WaitUntilReadableAsync());
            }

            return await _answer.PassOnAsync(connection, claim) && _request.IsWhole;
        }
        finally
        {
            if (!sending.IsCompleted)
            {
                connection.Socket.Abort();
                _request.Stop();
            }

            await sending;
        }
    }

    // The application says so by 100 Continue, or by its silence; else its answer is there. To read the body tells the client to go on.
    private async ValueTask<bool> IsBodyWantedAsync(ApplicationConnection connection, TimeProvider time)
    {
        await _request.SendHeadAsync(connection);
        var silence = new Silence(connection.Socket);
        await using var limit = time.CreateTimer(static silence => ((Silence)silence!).Pass(), silence, SilenceLimit, Timeout.InfiniteTimeSpan);
        while (!connection.TryReadHead())
        {
            if (silence.IsOver || connection is { HasInterim: true, Head.Status: StatusCodes.Status100Continue })
            {
                return true;
            }

            await (connection.HasInterim ? _answer.PassInterimOnAsync(connection.Head) : connection.Socket.WaitUntilReadableAsync());
        }

        return false;
    }

    private Problem? ProblemOf(Exception error, ApplicationConnection? connection, Claim claim) => error switch
    {
        _ when claim.IsCut => Problem.DrainOver,
        _ when connection is { HasTakenTooLong: true } => Problem.TimedOut,
        _ when _request.IsTooLarge => Problem.TooLarge,
        _ when exchange.HasInvalidTrailers => Problem.Refused(StatusCodes.Status400BadRequest, "A trailer has a character that headers can't have."),
        _ when _request.ClientFailure is { } failure => Problem.Unreadable(failure),
        ReplacedAnswerException replaced => Problem.Answered(replaced.Status),
        InvalidAnswerException => Problem.InvalidAnswer,
        AnswerTooLargeException => Problem.AnswerTooLarge,
        IOException or System.Net.Sockets.SocketException => Problem.Unreachable,
        _ => Problem.InvalidAnswer,
    };

    // It is over on the loop's thread, where the application's answer is waited for.
    private sealed class Silence(LoopSocket socket) : ISocketEvents
    {
        public bool IsOver { get; private set; }

        public void Pass() => socket.Loop.End(this);

        public void On(SocketEvents events)
        {
            IsOver = true;
            socket.WakeReceiver();
        }
    }
}
