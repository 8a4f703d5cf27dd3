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
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var flushed = new FlushedStream(stream, _exchange, end);
        await _body.CopyToAsync(flushed, context, end.Token);
        _exchange.LineGuard?.ChunksEnded();
        if (TrailersOf(_exchange) is { Length: > 0 } trailers)
        {
            _exchange.Connection?.AppendTrailers(trailers);
        }
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        // A request without a body has such a content too, if only it says Content-Type.
        length = 0;
        return !_exchange.Context.Features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody;
    }

    /// <summary>Whether a field may stand at the head of a message only.</summary>
    public static bool BelongsToHead(string name) => NeverTrailers.Contains(name);

    /// <summary>Trailers that may be passed on, as lines; absent: there are none. To be called when the body was read to its end.</summary>
    /// <exception cref="IOException">They can't be sent on.</exception>
    public static byte[]? TrailersOf(Exchange exchange)
    {
        if (exchange.Context.Features.Get<IHttpRequestTrailersFeature>() is not { Available: true, Trailers: { Count: > 0 } trailers })
        {
            return null;
        }

        if (!trailers.All(field => RequestChecks.IsValid(field.Key, field.Value)))
        {
            exchange.HasInvalidTrailers = true;
            throw new IOException("The request's trailers can't be sent on.");
        }

        var lines = trailers.Where(field => !BelongsToHead(field.Key) && !ForwardedHeaders.IsMisleading(field.Key, isTrusted: false))
            .SelectMany(field => field.Value.Select(value => $"{field.Key}: {value}\r\n"));
        return Encoding.Latin1.GetBytes(string.Concat(lines));
    }

    // The connection gathers small writes until its buffer is full; a client that sends little and waits for an answer would wait for ever.
    // The client doesn't look whether the application has gone either, while the body is coming.
    private sealed class FlushedStream(Stream inner, Exchange exchange, CancellationTokenSource end) : WriteOnlyStream
    {
        private Task? _watching;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            exchange.BytesIn += buffer.Length;
            await inner.WriteAsync(buffer, cancellationToken);
            await inner.FlushAsync(cancellationToken);
            _watching ??= WatchAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            await end.CancelAsync();
            await (_watching ?? Task.CompletedTask);
            await base.DisposeAsync();
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        private async Task WatchAsync()
        {
            // Behind the last byte an application may well answer and close.
            if (exchange.Connection is { } connection && await connection.EndsAsync(end.Token)
                && !(exchange.BytesIn >= exchange.Context.Request.ContentLength))
            {
                exchange.IsLeft = true;
                await end.CancelAsync();
            }
        }
    }
}
