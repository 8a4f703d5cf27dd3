using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>Switches what a client has to the protocol that it has asked for and the application has agreed to: its connection, or in HTTP/2 one stream of it.</summary>
/// <remarks>Source: RFC 9110, section 7.8; RFC 8441.</remarks>
internal static class Upgrade
{
    private const string WebSocket = "websocket";

    /// <summary>The protocol that a request asks for; absent: none. Such a request has no body: the server refuses one that has, and of CONNECT what follows belongs to the protocol.</summary>
    public static string? AskedBy(HttpContext context) => IsConnect(context.Request) ? WebSocket
        : context.Request.Headers.Upgrade is { Count: > 0 } asked && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && asked.ToString() is var protocol && !IsHttp(protocol)
            ? protocol
            : null;

    /// <summary>Whether a request, which was checked, asks for a WebSocket on a stream of HTTP/2.</summary>
    public static bool IsConnect(HttpRequest request) => request.Method is "CONNECT";

    /// <summary>Whether a protocol is that of WebSockets.</summary>
    public static bool IsWebSocket(string? protocol) => string.Equals(protocol, WebSocket, StringComparison.OrdinalIgnoreCase);

    /// <summary>Carries bytes both ways until one side ends, once the answer's head was taken over.</summary>
    /// <param name="exchange">The request and the answer.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="application">The application's side.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <exception cref="IOException">It was broken off.</exception>
    public static async Task CarryAsync(Exchange exchange, string protocol, Stream application, Claim claim)
    {
        var isWebSocket = IsWebSocket(protocol);
        claim.BecomeStream(isWebSocket ? RequestKind.WebSocket : RequestKind.Upgrade);
        await using var accepted = await (exchange.IsMultiplexed ? AcceptStreamAsync(exchange) : AcceptConnectionAsync(exchange, protocol));
        using var relay = new UpgradedRelay(exchange, ClientOf(exchange, accepted), application, claim, isWebSocket);
        await relay.RunAsync(exchange.Context.RequestAborted);
    }

    private static Task<Stream> AcceptConnectionAsync(Exchange exchange, string protocol)
    {
        exchange.LineGuard?.Stop();
        exchange.Client.Enter(ClientConnectionState.Upgraded);
        exchange.Context.Response.Headers.Upgrade = protocol;
        return exchange.Context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
    }

    // The server's stream costs as much as all the rest, and is needed only where there is more than bytes between it and the socket.
    private static Stream ClientOf(Exchange exchange, Stream accepted) => exchange.IsSecure || exchange.IsMultiplexed ? accepted : exchange.Transport.TakeOver();

    private static async Task<Stream> AcceptStreamAsync(Exchange exchange)
    {
        var features = exchange.Context.Features;
        exchange.Context.Response.StatusCode = StatusCodes.Status200OK;
        exchange.SetReason(null);
        features.GetRequiredFeature<IHttpMinRequestBodyDataRateFeature>().MinDataRate = null;
        return await features.GetRequiredFeature<IHttpExtendedConnectFeature>().AcceptAsync();
    }

    // Requests that nobody has looked at would follow. Source: RFC 9113, section 3.1.
    private static bool IsHttp(string protocol) => protocol.Contains("h2c", StringComparison.OrdinalIgnoreCase) || protocol.Contains("http", StringComparison.OrdinalIgnoreCase);
}
