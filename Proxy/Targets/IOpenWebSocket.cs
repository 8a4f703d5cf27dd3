namespace Wunderproxy.Proxy.Targets;

/// <summary>A WebSocket that can be told to close.</summary>
internal interface IOpenWebSocket
{
    /// <summary>Tells both sides to close, unless one of them has begun to already.</summary>
    /// <param name="grace">How long they have to answer once both were told.</param>
    void Close(TimeSpan grace);
}
