namespace Wunderproxy.Controller.ProxyClient;

/// <summary>What is known about a call to the Proxy that has no answer.</summary>
internal enum ProxyFault
{
    /// <summary>Nothing was changed: the Proxy wasn't reached, or a read wasn't answered.</summary>
    Unreachable,

    /// <summary>A change was sent and may have happened, or may still: read the state before deciding anything.</summary>
    Ambiguous,
}

/// <summary>A call to the Proxy without an answer that can be used: what, why, and what is known.</summary>
internal sealed class ProxyException(ProxyFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public ProxyFault Fault { get; } = fault;
}
