using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;
using Yarp.ReverseProxy.Forwarder;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Carries one request over to its target, and the answer back.</summary>
/// <param name="exchange">The request and the answer.</param>
/// <param name="claim">The hold on the target.</param>
internal sealed class ForwardingTransformer(Exchange exchange, Claim claim) : HttpTransformer
{
    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Whether the application's answer was thrown away because it could be read in two ways, or wasn't asked for.</summary>
    public bool RefusedAnswer { get; private set; }

    /// <summary>Whether the request names a host that the connection to the application can't name; it was not sent.</summary>
    public bool RefusedHost { get; private set; }

    /// <summary>Whether the head of the application's answer was taken over.</summary>
    public bool Answered { get; private set; }

    /// <summary>Why a WebSocket was broken off; absent: it wasn't, or there was none.</summary>
    public Exception? WebSocketFailure { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        if (proxyRequest.Headers.Host is null && httpContext.Request.Headers.Host.Count > 0)
        {
            // The client would put a Host of its own beside it. A response that is begun here keeps the request from being sent.
            RefusedHost = true;
            httpContext.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        proxyRequest.RequestUri = new Uri(destinationPrefix + OriginForm(RequestChecks.RawTargetOf(httpContext)), AsItIs);
        proxyRequest.Options.Set(UpstreamHandler.ExchangeKey, exchange);
        if (AcceptsTrailers(httpContext.Request.Headers))
        {
            proxyRequest.Headers.TryAddWithoutValidation("TE", "trailers");
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return false;
        }

        if (!ResponseFraming.IsClear(proxyResponse) || !ResponseChecks.IsValid(proxyResponse) || ResponseChecks.IsUnaskedUpgrade(proxyResponse))
        {
            exchange.Connection?.Abort();
            RefusedAnswer = true;
            return false;
        }

        ConnectionHeader.Apply(proxyResponse);
        await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        ResponseFraming.DropLengthWhereThereIsNoBody(httpContext.Response);
        Answered = true;
        if (ConnectionHeader.AsksForClose(httpContext.Request))
        {
            httpContext.Response.Headers.Connection = "close";
        }

        if (proxyResponse.StatusCode == HttpStatusCode.SwitchingProtocols)
        {
            return await UpgradeAsync(httpContext, proxyResponse);
        }

        ClaimByBody(proxyResponse);
        FrameForTrailers(httpContext, proxyResponse);
        await SendHeadUnlessBodyIsThereAsync(httpContext, proxyResponse, cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken) =>
        exchange.ResponseBody.IsUnfinished
            ? exchange.ResponseBody.EndWithTrailersAsync(proxyResponse.TrailingHeaders, cancellationToken)
            : ResponseChecks.AreValid(proxyResponse.TrailingHeaders) ? base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken)
            : throw new IOException("The application's trailers have a character that headers can't have.");

    // A client may send the whole URI; applications expect what follows the host.
    private static string OriginForm(string target)
    {
        var origin = RequestChecks.OriginFormOf(target);
        return origin.StartsWith('?') ? string.Concat("/", origin) : origin.Length == target.Length ? target : origin.ToString();
    }

    /// <summary>Whether a client takes trailers behind the answer.</summary>
    public static bool AcceptsTrailers(IHeaderDictionary headers) =>
        headers.TE is { Count: > 0 } te && te.ToString().Contains("trailers", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a <c>Content-Type</c> is that of an answer that stays open.</summary>
    public static bool IsEventStream(string contentType) => contentType.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    // Whether YARP is to carry what follows.
    private async ValueTask<bool> UpgradeAsync(HttpContext context, HttpResponseMessage response)
    {
        exchange.LineGuard?.Stop();
        exchange.Client.Enter(ClientConnectionState.Upgraded);
        var isWebSocket = response.Headers.NonValidated.TryGetValues("Upgrade", out var protocol) && string.Equals(protocol.ToString(), "websocket", StringComparison.OrdinalIgnoreCase);
        claim.BecomeStream(isWebSocket ? RequestKind.WebSocket : RequestKind.Upgrade);
        if (isWebSocket)
        {
            context.Response.Headers.Upgrade = protocol.ToString();
            WebSocketFailure = await RelayWebSocketAsync(context, response);
        }
        else
        {
            claim.BreaksOff(exchange);
        }

        return !isWebSocket;
    }

    private async Task<Exception?> RelayWebSocketAsync(HttpContext context, HttpResponseMessage response)
    {
        try
        {
            await using var client = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync();
            await using var application = await response.Content.ReadAsStreamAsync(CancellationToken.None);
            await using var relay = new WebSocketRelay(client, application, claim, exchange.Transport, claim.Upstream.Time);
            return await relay.RunAsync(context.RequestAborted);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return e;
        }
    }

    private void ClaimByBody(HttpResponseMessage response)
    {
        claim.StaysOpen |= !response.Content.Headers.NonValidated.Contains("Content-Length");
        if (response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type) && IsEventStream(type.ToString()))
        {
            claim.BecomeStream(RequestKind.Stream);
        }
    }

    // Trailers that the application doesn't announce are dropped, as RFC 9110 (section 6.5) allows.
    private void FrameForTrailers(HttpContext context, HttpResponseMessage response)
    {
        if (response.Headers.NonValidated.Contains("Trailer") && response.Headers.TransferEncodingChunked == true
            && context.Request.Protocol == HttpProtocol.Http11 && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.TransferEncoding = "chunked";
            exchange.ResponseBody.FrameInChunks();
        }
    }

    // A head that would wait for the first byte of a body that comes later is sent ahead. Reading no bytes waits for some to be there.
    private static async ValueTask SendHeadUnlessBodyIsThereAsync(
        HttpContext context, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var arrival = body.ReadAsync(Memory<byte>.Empty, cancellationToken);
        if (!arrival.IsCompleted)
        {
            await context.Response.Body.FlushAsync(cancellationToken);
        }

        try
        {
            await arrival;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Copying the body meets the same error and knows what to do about it.
        }
    }
}
