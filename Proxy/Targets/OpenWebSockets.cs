namespace Wunderproxy.Proxy.Targets;

/// <summary>The WebSockets of one target. When it drains each gets a moment of its own to be told to close, so that their clients don't all come back at once.</summary>
/// <remarks>
/// The moments are spread evenly over the time that streams have, but for a grace at its end for the answers. Each WebSocket has its fraction of that time from
/// the multiples of the golden ratio, which leave no large gap, however many there are.
/// </remarks>
/// <param name="time">Clock of the moments.</param>
internal sealed class OpenWebSockets(TimeProvider time)
{
    private const double GoldenRatio = 0.618033988749895;
    private static readonly TimeSpan LongestGrace = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<IOpenWebSocket, Moment> _open = [];
    private DateTimeOffset? _deadline;
    private long _entered;

    /// <summary>Counts one in.</summary>
    public void Enter(IOpenWebSocket socket)
    {
        lock (_lock)
        {
            var moment = new Moment((++_entered * GoldenRatio) % 1);
            _open.Add(socket, moment);
            if (_deadline is { } deadline)
            {
                Plan(socket, moment, deadline - time.GetUtcNow());
            }
        }
    }

    /// <summary>Counts one out.</summary>
    public void Leave(IOpenWebSocket socket)
    {
        lock (_lock)
        {
            if (_open.Remove(socket, out var moment))
            {
                moment.Timer?.Dispose();
            }
        }
    }

    /// <summary>Plans the end of all that are open, and of those that will be; a former plan is dropped.</summary>
    /// <param name="limit">How long they have from now; infinite: they are not told to close.</param>
    public void EndWithin(TimeSpan limit)
    {
        lock (_lock)
        {
            _deadline = limit == Timeout.InfiniteTimeSpan ? null : time.GetUtcNow() + limit;
            foreach (var (socket, moment) in _open)
            {
                Plan(socket, moment, limit);
            }
        }
    }

    // One that has no time at all is told by whoever cuts it.
    private void Plan(IOpenWebSocket socket, Moment moment, TimeSpan limit)
    {
        moment.Timer?.Dispose();
        moment.Timer = null;
        if (limit > TimeSpan.Zero)
        {
            var grace = limit / 4 < LongestGrace ? limit / 4 : LongestGrace;
            moment.Timer = time.CreateTimer(_ => Close(socket, grace), null, moment.Fraction * (limit - grace), Timeout.InfiniteTimeSpan);
        }
    }

    // Nobody is told any more who has left.
    private void Close(IOpenWebSocket socket, TimeSpan grace)
    {
        lock (_lock)
        {
            if (_open.ContainsKey(socket))
            {
                socket.Close(grace);
            }
        }
    }

    private sealed class Moment(double fraction)
    {
        public double Fraction => fraction;

        public ITimer? Timer { get; set; }
    }
}
