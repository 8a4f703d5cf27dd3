using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>A request's turn in a <see cref="RequestQueue"/>.</summary>
internal sealed class QueuedRequest : WaitingRequest
{
    private Places? _place;

    /// <param name="queue">The queue.</param>
    /// <param name="loop">Where it goes on.</param>
    /// <param name="bytes">Bytes of its head.</param>
    public QueuedRequest(RequestQueue queue, EventLoop loop, long bytes)
        : base(request => queue.Leave((QueuedRequest)request), loop, bytes) => Node = new LinkedListNode<QueuedRequest>(this);

    /// <summary>Where it is in the queue.</summary>
    public LinkedListNode<QueuedRequest> Node { get; }

    /// <summary>Gives it a place, or lets it go on without one where there is no limit any more. Called by the queue only.</summary>
    public void Receive(Places? place)
    {
        Volatile.Write(ref _place, place);
        Wake();
    }

    /// <summary>Takes the place that it was given; whoever does so has to give it back.</summary>
    /// <returns>Absent: it has none.</returns>
    public Places? TakePlace() => Interlocked.Exchange(ref _place, null);
}
