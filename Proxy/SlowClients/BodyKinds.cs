using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Which bodies are kept for slow clients, and which go through as they come.</summary>
internal static class BodyKinds
{
    /// <summary>Whether a body of a type is a stream, whose pieces mean something before its end: events, and gRPC.</summary>
    public static bool GoesAtOnce(string? contentType) => contentType is not null && (RequestChecks.IsEventStream(contentType) || Grpc.IsType(contentType));

    /// <summary>Whether a request's body is collected before the request is sent.</summary>
    public static bool IsCollected(HttpRequest request, Buffering buffering) =>
        buffering.Requests && !Upgrade.IsConnect(request) && !(request.ContentLength > buffering.MaxRequest) && !GoesAtOnce(request.ContentType);
}
