namespace Wunderproxy.Proxy.Sockets;

/// <summary>Waits on an event loop for what other threads tell. Whoever tells goes on at once; whoever waits goes on when the loop comes to it.</summary>
/// <param name="loop">The loop.</param>
internal sealed class LoopSignal(EventLoop loop) : ISocketEvents
{
    private readonly Readiness _readiness = new();

    /// <summary>Waits until <see cref="Signal"/> was called since the last wait; one waits at a time. It may be told so too early: whoever waited looks, and waits again.</summary>
    public ValueTask WaitAsync() => _readiness.WaitAsync();

    /// <summary>Makes whoever waits look again. May be called on any thread.</summary>
    public void Signal() => loop.End(this);

    /// <inheritdoc/>
    public void On(SocketEvents events) => _readiness.Signal();
}
