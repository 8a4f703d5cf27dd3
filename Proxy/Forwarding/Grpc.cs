using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>What the Proxy says itself to clients of gRPC: they look at the status of a call, which stands in headers or in trailers, and not at pages.</summary>
/// <remarks>Source: gRPC over HTTP/2, "Responses"; its mapping of HTTP statuses.</remarks>
internal static class Grpc
{
    private const string MediaType = "application/grpc";

    /// <summary>Whether a request is a call of gRPC, or of gRPC-Web.</summary>
    public static bool IsSpokenBy(HttpRequest request) => request.ContentType is { } type && IsType(type);

    /// <summary>Whether a media type is one of gRPC's.</summary>
    public static bool IsType(string type) => type.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase);

    /// <summary>Makes the head of an answer, which needs no body, say what happened.</summary>
    public static void Say(HttpContext context, Problem problem)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = context.Request.ContentType;
        Say(context.Response.Headers, problem);
    }

    /// <summary>Ends a call whose answer has begun so that its client learns what happened.</summary>
    /// <returns><see langword="false"/>: it is none, or is over.</returns>
    public static bool TryEnd(HttpContext context, Problem problem)
    {
        var request = context.Request;
        if (!IsSpokenBy(request) || IsWeb(request) || context.RequestAborted.IsCancellationRequested || context.Features.Get<IHttpResponseTrailersFeature>() is not { } feature)
        {
            return false;
        }

        Say(feature.Trailers, problem);
        return true;
    }

    // Its trailers are part of the body.
    private static bool IsWeb(HttpRequest request) => request.ContentType!.StartsWith(MediaType + "-web", StringComparison.OrdinalIgnoreCase);

    private static void Say(IHeaderDictionary fields, Problem problem)
    {
        fields["grpc-status"] = CodeOf(problem.Status);
        fields["grpc-message"] = problem.Detail;
    }

    // INTERNAL, UNIMPLEMENTED, UNAVAILABLE, UNKNOWN.
    private static string CodeOf(int status) => status switch
    {
        400 => "13",
        404 => "12",
        429 or 502 or 503 or 504 => "14",
        _ => "2",
    };
}
