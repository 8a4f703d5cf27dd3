namespace Wunderproxy.Proxy.Targets;

/// <summary>Connections to one target, for requests that YARP forwards.</summary>
/// <param name="handler">What sends on them; disposed with this.</param>
/// <param name="closeIdle">Closes those that wait, and lets none wait any more.</param>
internal sealed class TargetConnections(HttpMessageHandler handler, Action closeIdle) : HttpMessageInvoker(handler)
{
    /// <summary>Closes those on which no request runs, and the others once theirs has ended.</summary>
    public void CloseIdle() => closeIdle();
}
