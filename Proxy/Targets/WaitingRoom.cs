using System.Net;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Requests of one application that wait until it can be reached again, or a pause is over. Bounded in number and bytes.</summary>
/// <param name="time">Clock of waits and of looking.</param>
internal sealed class WaitingRoom(TimeProvider time)
{
    /// <summary>Requests that may wait at once.</summary>
    public const int MaxRequests = 1000;

    /// <summary>Bytes that their heads may have together; of bodies nothing is read while they wait.</summary>
    public const long MaxBytes = 8 << 20;

    private readonly Lock _lock = new();
    private readonly HashSet<WaitingRequest> _waiting = [];
    private long _bytes;
    private IPEndPoint? _lookedFor;

    /// <summary>Requests that wait now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Lets a request in, to wait until its time is over.</summary>
    /// <param name="loop">Where it goes on.</param>
    /// <param name="bytes">Bytes of its head.</param>
    /// <param name="limit">How long it may wait altogether.</param>
    /// <param name="left">Cancelled when its client has left.</param>
    /// <returns>Its place, which it gives back; absent: there is no room.</returns>
    public WaitingRequest? TryEnter(EventLoop loop, long bytes, TimeSpan limit, CancellationToken left)
    {
        var request = new WaitingRequest(Leave, loop, bytes);
        lock (_lock)
        {
            if (_waiting.Count == MaxRequests || _bytes + bytes > MaxBytes)
            {
                return null;
            }

            _bytes += bytes;
            _waiting.Add(request);
        }

        request.Begin(time, limit, left);
        return request;
    }

    /// <summary>Takes a request's place back.</summary>
    public void Leave(WaitingRequest request)
    {
        lock (_lock)
        {
            _bytes -= _waiting.Remove(request) ? request.Bytes : 0;
        }
    }

    /// <summary>Makes all requests look again at why they wait.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            foreach (var request in _waiting)
            {
                request.Wake();
            }
        }
    }

    /// <summary>Looks from now on whether a target can be reached, as long as requests wait, and wakes them when it can.</summary>
    /// <param name="target">The target; the one that was looked for before isn't any more.</param>
    public void LookFor(IPEndPoint target)
    {
        lock (_lock)
        {
            var isLooking = _lookedFor is not null;
            _lookedFor = target;
            if (isLooking)
            {
                return;
            }
        }

        _ = LookAsync();
    }

    private async Task LookAsync()
    {
        while (Next() is { } target && !await Reachability.IsReachableAsync(target, time))
        {
            await Task.Delay(Reachability.Pause, time);
        }

        // In this order: whoever meets the next failure begins to look anew.
        lock (_lock)
        {
            _lookedFor = null;
        }

        Wake();
    }

    private IPEndPoint? Next()
    {
        lock (_lock)
        {
            return _waiting.Count > 0 ? _lookedFor : null;
        }
    }
}
