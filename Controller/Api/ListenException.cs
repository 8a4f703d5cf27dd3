using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Wunderproxy.Controller.Api;

/// <summary>The admin API can't listen on its address: which, why, what to do.</summary>
internal sealed class ListenException(string message, bool isTaken, Exception inner) : Exception(message, inner)
{
    /// <summary>Whether another process listens there.</summary>
    public bool IsTaken { get; } = isTaken;

    public static ListenException From(ListenAddress address, Exception cause)
    {
        var error = (cause as SocketException ?? cause.InnerException as SocketException)?.SocketErrorCode;
        var isTaken = cause.InnerException is AddressInUseException || error == SocketError.AddressAlreadyInUse;
        var why = error switch
        {
            _ when isTaken => $"it is taken by another process. Free it (ss -ltnp shows who has it), or choose another one with --api.",
            SocketError.AccessDenied => "this user may not. Ports below 1024 need root or CAP_NET_BIND_SERVICE; or choose another one with --api.",
            SocketError.AddressNotAvailable => "this host has no such address. Choose one that ip addr shows with --api.",
            _ => $"{cause.Message} Choose another one with --api.",
        };
        return new ListenException($"The admin API can't listen on {address}: {why}", isTaken, cause);
    }
}
