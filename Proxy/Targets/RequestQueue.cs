using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Requests of one application that wait for a place on its target, first come, first served. Bounded in number and bytes.</summary>
/// <remarks>
/// A place that becomes free goes to the first who waits, before anybody else can take it. The queue is the application's: where its target is replaced, those who
/// wait get the places of the new one, and those who run on the old one keep theirs until they have ended.
/// </remarks>
/// <param name="time">Clock of the waits.</param>
internal sealed class RequestQueue(TimeProvider time)
{
    /// <summary>Bytes that the heads of those who wait may have together; of bodies nothing is read meanwhile.</summary>
    public const long MaxBytes = 8 << 20;

    private readonly Lock _lock = new();
    private readonly LinkedList<QueuedRequest> _waiting = new();
    private Limits _limits = new();
    private Places? _places;
    private long _bytes;

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

    /// <summary>Gives out the places of a target from now on.</summary>
    /// <param name="places">Its places; absent: there is no target, which those who wait are left to find out.</param>
    /// <param name="limits">How many there are, and how many may wait.</param>
    public void Serve(Places? places, Limits limits)
    {
        lock (_lock)
        {
            (_places, _limits) = (places, limits);
            GiveOut();
        }
    }

    /// <summary>Takes a place.</summary>
    /// <returns><see langword="false"/> if there is none.</returns>
    public bool TryTake(Places places)
    {
        lock (_lock)
        {
            var isFree = places.Taken < (_limits.MaxRequestsInFlight ?? int.MaxValue);
            places.Taken += isFree ? 1 : 0;
            return isFree;
        }
    }

    /// <summary>Takes a place back.</summary>
    public void Leave(Places places)
    {
        lock (_lock)
        {
            places.Taken--;
            GiveOut();
        }
    }

    /// <summary>Lets a request wait for a place.</summary>
    /// <param name="loop">Where it goes on.</param>
    /// <param name="bytes">Bytes of its head.</param>
    /// <param name="isAgain">Whether it had waited and its place was gone: then it is the first.</param>
    /// <param name="limit">How long it may wait.</param>
    /// <param name="left">Cancelled when its client has left.</param>
    /// <returns>Its turn, to be disposed after the wait; absent: as many wait as may.</returns>
    public QueuedRequest? TryEnter(EventLoop loop, long bytes, bool isAgain, TimeSpan limit, CancellationToken left)
    {
        var request = new QueuedRequest(this, loop, bytes);
        lock (_lock)
        {
            if (!isAgain && (_waiting.Count >= _limits.MaxQueued || _bytes + bytes > MaxBytes))
            {
                return null;
            }

            _bytes += bytes;
            Insert(request.Node, isAgain);
            GiveOut();
        }

        request.Begin(time, limit, left);
        return request;
    }

    /// <summary>Lets a request wait no longer, and takes back the place that it was given and has no use for.</summary>
    public void Leave(QueuedRequest request)
    {
        lock (_lock)
        {
            Remove(request);
            if (request.TakePlace() is { } unused)
            {
                unused.Taken--;
                GiveOut();
            }
        }
    }

    private void Insert(LinkedListNode<QueuedRequest> node, bool isFirst)
    {
        if (isFirst)
        {
            _waiting.AddFirst(node);
        }
        else
        {
            _waiting.AddLast(node);
        }
    }

    private void Remove(QueuedRequest request)
    {
        if (request.Node.List is not null)
        {
            _waiting.Remove(request.Node);
            _bytes -= request.Bytes;
        }
    }

    private void GiveOut()
    {
        var places = _limits.MaxRequestsInFlight is null ? null : _places;
        while (_waiting.First is { Value: var first } && (places is null || places.Taken < _limits.MaxRequestsInFlight))
        {
            Remove(first);
            if (places is not null)
            {
                places.Taken++;
            }

            first.Receive(places);
        }
    }
}
