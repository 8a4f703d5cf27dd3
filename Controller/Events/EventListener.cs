using System.Threading.Channels;

namespace Wunderproxy.Controller.Events;

/// <summary>Somebody who listens, with what hasn't been sent to them yet.</summary>
/// <param name="cut">Ends the connection of one that takes events more slowly than they come; it comes again and gets what it has missed.</param>
internal sealed class EventListener(Action cut)
{
    /// <summary>Events that may wait for one listener.</summary>
    public const int MaxWaiting = EventFeed.RingSize + 64;

    private readonly Channel<ServerEvent> _waiting = Channel.CreateBounded<ServerEvent>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    public ChannelReader<ServerEvent> Waiting => _waiting.Reader;

    public void Tell(ServerEvent @event)
    {
        if (!_waiting.Writer.TryWrite(@event) && _waiting.Writer.TryComplete())
        {
            cut();
        }
    }
}
