using System.Net;
using Microsoft.AspNetCore.Connections;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Who is at the other end of a client's connection; a feature of its requests.</summary>
/// <param name="Address">Its IP address; empty for a Unix socket.</param>
/// <param name="IsTrusted">Whether what it says about the client before it is believed.</param>
internal sealed record Peer(string Address, bool IsTrusted)
{
    /// <summary>The subject of the certificate that it has shown in the handshake; absent: none.</summary>
    public string? ClientSubject { get; init; }

    /// <summary>Connection middleware: names the peer once for all requests of a connection.</summary>
    /// <param name="trusted">The proxies that are believed. Whoever may use a Unix socket of ours is believed too.</param>
    public static Func<ConnectionDelegate, ConnectionDelegate> Introduce(TrustedProxies trusted) => next => connection =>
    {
        connection.Features.Set(Of(connection.RemoteEndPoint, trusted) with { ClientSubject = connection.Features.Get<ClientIdentity>()?.Subject });
        return next(connection);
    };

    private static Peer Of(EndPoint? endPoint, TrustedProxies trusted) => endPoint is IPEndPoint { Address: var address }
        ? new Peer(TrustedProxies.Plain(address).ToString(), trusted.Contains(address))
        : new Peer("", true);
}
