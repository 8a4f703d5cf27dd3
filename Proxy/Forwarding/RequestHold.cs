using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>
/// Lets requests wait: while their application is paused or can't be reached, as while its container is started again, or until it has a place for them. Nothing of them
/// was sent, or it may be sent again.
/// </summary>
/// <param name="table">What is served.</param>
/// <param name="time">Clock of the waits.</param>
internal sealed class RequestHold(TargetTable table, TimeProvider time)
{
    /// <summary>Waits until trying again makes sense.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="serving">What was served when it was found that the request can't go on.</param>
    /// <param name="unreachable">The target that can't be reached; absent: the application is paused.</param>
    /// <param name="otherwise">The answer where the request has waited for as long as it may, or its client has left.</param>
    /// <returns>What to answer; absent: the request is to be tried again.</returns>
    public async ValueTask<Problem?> WaitAsync(Exchange exchange, Serving serving, Upstream? unreachable, Problem otherwise)
    {
        var now = time.GetTimestamp();
        exchange.HeldSince ??= now;
        var left = serving.HoldLimit - time.GetElapsedTime(exchange.HeldSince.Value, now);
        if (left <= TimeSpan.Zero)
        {
            return otherwise;
        }

        using var waiting = serving.Room.TryEnter(exchange.Transport.Loop, BytesOf(exchange), left, exchange.Context.RequestAborted);
        if (waiting is null)
        {
            return Problem.TooManyWaiting;
        }

        if (unreachable is not null)
        {
            serving.Room.LookFor(unreachable.Pool.Address);
        }

        // A change that came before the request was in the room has woken nobody.
        var isUnchanged = ReferenceEquals(table.Find(RequestChecks.PlaceOf(exchange.Context)), serving);
        return !isUnchanged || await waiting.WaitAsync() ? null : otherwise;
    }

    /// <summary>Waits for a place on the target.</summary>
    /// <returns>What to answer; absent: the request is to be tried again, with the place that it was given.</returns>
    public async ValueTask<Problem?> WaitForPlaceAsync(Exchange exchange, Serving serving)
    {
        var now = time.GetTimestamp();
        var isAgain = exchange.QueuedSince is not null;
        exchange.QueuedSince ??= now;
        var left = serving.Limits.QueueTimeout - time.GetElapsedTime(exchange.QueuedSince.Value, now);
        using var waiting = left > TimeSpan.Zero
            ? serving.Queue.TryEnter(exchange.Transport.Loop, BytesOf(exchange), isAgain, left, exchange.Context.RequestAborted)
            : null;
        if (waiting is null || !await waiting.WaitAsync())
        {
            return Problem.Busy;
        }

        exchange.Turn = waiting.TakePlace();
        return null;
    }

    private static long BytesOf(Exchange exchange)
    {
        long bytes = RequestChecks.RawTargetOf(exchange.Context).Length;
        foreach (var (name, values) in exchange.Context.Request.Headers)
        {
            foreach (var value in values)
            {
                bytes += name.Length + (value?.Length ?? 0);
            }
        }

        return bytes;
    }
}
