using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.IntegrationTests.Exporting;

/// <summary>Receives OTLP, over HTTP with protobuf or as gRPC, and keeps what it got.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const int GrpcPrefixBytes = 5;

    private readonly WebApplication _server;

    private OtlpReceiver(WebApplication server) => _server = server;

    /// <summary>Address over HTTP/1.1.</summary>
    public Uri Http => new(_server.Urls.First());

    /// <summary>Address over HTTP/2, as gRPC needs it.</summary>
    public Uri Grpc => new(_server.Urls.Last());

    /// <summary>Bodies by the path that they were sent to.</summary>
    public ConcurrentQueue<(string Path, ProtoMessage Body)> Received { get; } = [];

    /// <summary>Spans with what they are within.</summary>
    public IEnumerable<ProtoMessage> Spans => Bodies("race").SelectMany(body => body.All(1, 2, 2));

    /// <summary>Metrics of the latest export.</summary>
    public IReadOnlyList<ProtoMessage> LatestMetrics => Bodies("etrics").LastOrDefault() is { } body ? [.. body.All(1, 2, 2)] : [];

    public IEnumerable<ProtoMessage> Bodies(string kind) => Received.Where(received => received.Path.Contains(kind, StringComparison.Ordinal)).Select(received => received.Body);

    public static async Task<OtlpReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var receiver = new OtlpReceiver(builder.Build());
        receiver._server.Run(receiver.TakeAsync);
        await receiver._server.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var isGrpc = context.Request.ContentType == "application/grpc";
        Received.Enqueue((context.Request.Path, new ProtoMessage(body.ToArray().AsMemory(isGrpc ? GrpcPrefixBytes : 0))));
        context.Response.ContentType = context.Request.ContentType;
        if (isGrpc)
        {
            await context.Response.Body.WriteAsync(new byte[GrpcPrefixBytes], context.RequestAborted);
            context.Response.AppendTrailer("grpc-status", "0");
        }
    }
}
