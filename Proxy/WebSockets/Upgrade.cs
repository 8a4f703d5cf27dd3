using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>Switches a client's connection to the protocol that it has asked for and the application has agreed to.</summary>
/// <remarks>Source: RFC 9110, section 7.8.</remarks>
internal static class Upgrade
{
    private const string WebSocket = "websocket";

    /// <summary>The protocol that a request asks for; absent: none. Such a request has no body: the server refuses one that has.</summary>
    public static string? AskedBy(HttpContext context) =>
        context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && context.Request.Headers.Upgrade is { Count: > 0 } asked && asked.ToString() is var protocol && !IsHttp(protocol)
            ? protocol
            : null;

    // The server's stream costs as much as all the rest, and is needed only where it has to decrypt.
    private static Stream ClientOf(Exchange exchange, Stream upgraded) => exchange.IsSecure ? upgraded : exchange.Transport.TakeOver();

    // Requests that nobody has looked at would follow. Source: RFC 9113, section 3.1.
    private static bool IsHttp(string protocol) => protocol.Contains("h2c", StringComparison.OrdinalIgnoreCase) || protocol.Contains("http", StringComparison.OrdinalIgnoreCase);

    /// <summary>Carries bytes both ways until one side ends, once the answer's head was taken over.</summary>
    /// <param name="exchange">The request and the answer.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="connection">The application's connection.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <exception cref="IOException">It was broken off.</exception>
    public static async Task CarryAsync(Exchange exchange, string protocol, ApplicationConnection connection, Claim claim)
    {
        var isWebSocket = string.Equals(protocol, WebSocket, StringComparison.OrdinalIgnoreCase);
        exchange.LineGuard?.Stop();
        exchange.Client.Enter(ClientConnectionState.Upgraded);
        claim.BecomeStream(isWebSocket ? RequestKind.WebSocket : RequestKind.Upgrade);
        exchange.Context.Response.Headers.Upgrade = protocol;
        await using var upgraded = await exchange.Context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
        using var relay = new UpgradedRelay(ClientOf(exchange, upgraded), connection, claim, exchange.Transport, isWebSocket);
        await relay.RunAsync(exchange.Context.RequestAborted);
    }
}
