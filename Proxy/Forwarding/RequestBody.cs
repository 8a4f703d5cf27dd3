using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>A request's body on its way to the application: each piece is passed on as it comes, counted, and followed by the trailers.</summary>
internal sealed class RequestBody : HttpContent
{
    // What decides about access, origin, routing or the length of a message counts at its head only. Source: RFC 9110, section 6.5.1.
    private static readonly HashSet<string> NeverTrailers = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range", "Transfer-Encoding", "Trailer", "Connection", "Keep-Alive", "TE",
        "Upgrade", "Expect", "Range", "Max-Forwards", "Cache-Control", "Authorization", "Proxy-Authorization", "Cookie",
    };

    private readonly HttpContent _body;
    private readonly Exchange _exchange;

    /// <param name="body">The body as the forwarder reads it from the client.</param>
    /// <param name="exchange">The exchange that it belongs to.</param>
    public RequestBody(HttpContent body, Exchange exchange)
    {
        _body = body;
        _exchange = exchange;
        foreach (var header in body.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(header.Key, header.Value);
        }
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await _body.CopyToAsync(new FlushedStream(stream, _exchange), context, cancellationToken);
        if (TrailersOf(_exchange.Context) is { Length: > 0 } trailers)
        {
            _exchange.Connection?.AppendTrailers(trailers);
        }
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    /// <summary>Trailers that may be passed on, as lines; absent: there are none. To be called when the body was read to its end.</summary>
    public static byte[]? TrailersOf(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestTrailersFeature>() is not { Available: true, Trailers: { Count: > 0 } trailers })
        {
            return null;
        }

        var lines = trailers.Where(field => !NeverTrailers.Contains(field.Key) && !ForwardedHeaders.IsMisleading(field.Key, isTrusted: false))
            .SelectMany(field => field.Value.Select(value => $"{field.Key}: {value}\r\n"));
        return Encoding.Latin1.GetBytes(string.Concat(lines));
    }

    // The connection gathers small writes until its buffer is full; a client that sends little and waits for an answer would wait for ever.
    private sealed class FlushedStream(Stream inner, Exchange exchange) : WriteOnlyStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            exchange.BytesIn += buffer.Length;
            await inner.WriteAsync(buffer, cancellationToken);
            await inner.FlushAsync(cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
    }
}
