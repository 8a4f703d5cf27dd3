using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Compressing;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Pages;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>The client's side of an answer, whatever the application speaks.</summary>
internal static class ClientAnswer
{
    /// <summary>Whether a body follows an answer's head.</summary>
    public static bool HasBody(int status, string method) =>
        status is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified) && !HttpMethods.IsHead(method);

    /// <summary>Whether a page is shown in the place of an answer with this status.</summary>
    public static bool IsReplaced(Exchange exchange, int status) =>
        status >= StatusCodes.Status400BadRequest && exchange.Serving is { } serving && serving.ReplacesAnswer(status) && ProblemPage.IsForBrowser(exchange);

    /// <summary>Takes over what the application says of how long its answer is, absent: it says nothing, and adds what the Proxy says itself.</summary>
    /// <returns>How the body is to be encoded.</returns>
    public static ContentCoding EndHead(Exchange exchange, long? length)
    {
        var context = exchange.Context;

        // Some applications send a length with answers that never have a body.
        var isNever = context.Response.StatusCode is StatusCodes.Status101SwitchingProtocols or StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent;
        context.Response.ContentLength = isNever ? null : length;
        exchange.NameAnswer();
        exchange.SayStandby();
        if (ConnectionHeader.AsksForClose(context.Request))
        {
            context.Response.Headers.Connection = "close";
        }

        return exchange.Serving?.Compression is { } compression ? CompressionRules.Apply(context, compression) : ContentCoding.Identity;
    }

    /// <summary>Adds a field to those that are there.</summary>
    public static void Append(IHeaderDictionary headers, string name, string value)
    {
        var former = headers[name];
        headers[name] = former.Count == 0 ? value : StringValues.Concat(former, value);
    }

    /// <summary>Makes a request a stream if its answer's type is one that stays open.</summary>
    public static void BecomeStreamIfItIs(string type, Claim claim)
    {
        if (RequestChecks.IsEventStream(type))
        {
            claim.BecomeStream(RequestKind.Stream);
        }
    }

    /// <summary>Prepares an answer without a length, whose body hasn't begun, for trailers.</summary>
    /// <returns>Whether they can be passed on. In HTTP/1.1 the client has to know at the head that they come: those that the application doesn't announce are dropped, as RFC 9110 (section 6.5) allows.</returns>
    public static bool TryPrepareForTrailers(Exchange exchange)
    {
        var context = exchange.Context;
        if (!exchange.IsMultiplexed && context.Response.Headers.Trailer.Count > 0 && context.Request.Protocol == HttpProtocol.Http11)
        {
            context.Response.Headers.TransferEncoding = "chunked";
            exchange.ResponseBody.FrameInChunks();
        }

        return exchange.IsMultiplexed || exchange.ResponseBody.IsUnfinished;
    }

    /// <summary>Whether a field may be passed on behind the body.</summary>
    public static bool IsTrailer(string name) => !HopHeaders.Contains(name) && !RequestTrailers.BelongsToHead(name);

    /// <summary>Ends a body with its trailers, for which it was prepared.</summary>
    public static ValueTask EndAsync(Exchange exchange, IEnumerable<(string Name, string Value)> trailers)
    {
        if (exchange.ResponseBody.IsUnfinished)
        {
            return exchange.ResponseBody.EndWithTrailersAsync(trailers, CancellationToken.None);
        }

        // Of HTTP/2 the server knows how. Source: RFC 9113, section 8.1.
        var headers = exchange.Context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        foreach (var (name, value) in trailers)
        {
            Append(headers, name, value);
        }

        return ValueTask.CompletedTask;
    }
}
