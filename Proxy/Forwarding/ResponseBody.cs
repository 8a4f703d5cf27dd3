using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>The answer's body on its way to the client: counted, and framed by us where trailers follow it, which Kestrel can't send over HTTP/1.1.</summary>
internal sealed class ResponseBody : AsyncStream, IHttpResponseBodyFeature
{
    private IHttpResponseBodyFeature? _inner;
    private bool _isFramed;

    /// <summary>Bytes written so far, framing excluded.</summary>
    public long Written { get; private set; }

    /// <summary>Whether framing has begun and not ended: the client still waits for the end of the body.</summary>
    public bool IsUnfinished { get; private set; }

    /// <inheritdoc/>
    public Stream Stream => this;

    /// <inheritdoc/>
    public PipeWriter Writer => Inner.Writer;

    private static ReadOnlySpan<byte> LineEnd => "\r\n"u8;

    private IHttpResponseBodyFeature Inner => _inner ?? throw new InvalidOperationException("The response body is used outside a request.");

    /// <summary>Begins the body of the next response on a connection.</summary>
    public void Begin(IHttpResponseBodyFeature inner)
    {
        _inner = inner;
        _isFramed = false;
        Written = 0;
        IsUnfinished = false;
    }

    /// <summary>Writes the body in chunks from here on; <see cref="EndWithTrailersAsync"/> must follow. The response says <c>Transfer-Encoding: chunked</c>.</summary>
    public void FrameInChunks()
    {
        _isFramed = true;
        IsUnfinished = true;
    }

    /// <summary>Counts bytes that were written to <see cref="Writer"/>.</summary>
    public void Count(int bytes) => Written += bytes;

    /// <summary>Ends a body that is framed in chunks.</summary>
    public async ValueTask EndWithTrailersAsync(IEnumerable<(string Name, string Value)> trailers, CancellationToken cancellationToken)
    {
        var lines = trailers.Select(field => $"{field.Name}: {field.Value}\r\n");
        await Inner.Stream.WriteAsync(Encoding.Latin1.GetBytes($"0\r\n{string.Concat(lines)}\r\n"), cancellationToken);
        IsUnfinished = false;
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Written += buffer.Length;
        return _isFramed ? WriteChunkAsync(buffer, cancellationToken) : Inner.Stream.WriteAsync(buffer, cancellationToken);
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Inner.Stream.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public void DisableBuffering() => Inner.DisableBuffering();

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken = default) => Inner.StartAsync(cancellationToken);

    /// <inheritdoc/>
    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("The Proxy sends no files.");

    /// <inheritdoc/>
    public Task CompleteAsync() => Inner.CompleteAsync();

    private async ValueTask WriteChunkAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        // A chunk of no bytes would be the end.
        if (buffer.IsEmpty)
        {
            return;
        }

        var size = Encoding.ASCII.GetBytes(buffer.Length.ToString("X", CultureInfo.InvariantCulture) + "\r\n");
        var length = size.Length + buffer.Length + LineEnd.Length;
        var chunk = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            size.CopyTo(chunk, 0);
            buffer.Span.CopyTo(chunk.AsSpan(size.Length));
            LineEnd.CopyTo(chunk.AsSpan(length - LineEnd.Length));
            await Inner.Stream.WriteAsync(chunk.AsMemory(0, length), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }
}
