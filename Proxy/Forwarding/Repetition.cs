using System.Net.Sockets;
using Wunderproxy.Proxy.Relaying;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Which requests may be sent again, here or to another host.</summary>
internal static class Repetition
{
    /// <summary>Whether a request may reach an application twice: nothing but a safe one without a body.</summary>
    public static bool IsAllowed(Exchange exchange) => exchange.Context.Request.Method is "GET" or "HEAD" && !exchange.HasBody;

    /// <summary>Whether nobody knows yet that it was tried: the connection was refused, or was broken off before the answer's first byte, and the client still waits.</summary>
    public static bool IsPossible(Exchange exchange, Exception? error) =>
        !exchange.Context.Response.HasStarted && !exchange.IsClientGone
        && (WasNotSent(error) || (exchange.IsRepeatable && error is NothingAnsweredException));

    /// <summary>Whether the application has got nothing of it.</summary>
    public static bool WasNotSent(Exception? error) => error is SocketException or StreamRefusedException;

    /// <summary>Whether it failed for what this process has too little of: to wait for an application that is there would take more of it.</summary>
    public static bool IsForLackOfDescriptors(Exception error) => error is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets };
}
