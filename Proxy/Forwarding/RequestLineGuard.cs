using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Looks at each request line before Kestrel does, and refuses what Kestrel would guess at; a feature of the client's connection.</summary>
/// <remarks>
/// Kestrel takes any byte for the space before the version, so that <c>GET /admin!HTTP/1.1</c> would ask for <c>/admin</c>, and lone carriage
/// returns and line feeds for empty lines before a request. To know where a request line begins, this counts the bytes that Kestrel takes: the next one begins
/// behind the head and the length of its body, or where a body in chunks was read to its end. Behind chunks that nobody read it looks no more.
/// </remarks>
internal sealed class RequestLineGuard(PipeReader inner) : PipeReader
{
    private const long Unknown = long.MaxValue;

    private ReadOnlySequence<byte> _buffer;
    private long _taken;
    private long _lineAt;

    private static ReadOnlySpan<byte> Tail => " HTTP/1.1\r"u8;

    /// <summary>Connection middleware: puts the guard between client and Kestrel.</summary>
    public static ConnectionDelegate Watch(ConnectionDelegate next) => connection =>
    {
        var guard = new RequestLineGuard(connection.Transport.Input);
        connection.Features.Set(guard);
        connection.Transport = new Pipe(guard, connection.Transport.Output);
        return next(connection);
    };

    /// <summary>A head was read: says where the next one will begin.</summary>
    public void HeadEnded(IHeaderDictionary headers) => _lineAt = headers.TransferEncoding.Count > 0 ? Unknown : _taken + (headers.ContentLength ?? 0);

    /// <summary>A body in chunks was read to its end.</summary>
    public void ChunksEnded()
    {
        if (_lineAt == Unknown)
        {
            _lineAt = _taken;
        }
    }

    /// <summary>No request follows any more on this connection.</summary>
    public void Stop() => _lineAt = Unknown;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        return TryRead(out var result) ? new ValueTask<ReadResult>(result) : CheckAsync(inner.ReadAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        var isRead = inner.TryRead(out result);
        if (isRead)
        {
            Checked(result);
        }

        return isRead;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _taken += _buffer.Slice(0, consumed).Length;
        _buffer = default;
        inner.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    /// <inheritdoc/>
    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> CheckAsync(ValueTask<ReadResult> reading) => Checked(await reading);

    private ReadResult Checked(ReadResult result)
    {
        _buffer = result.Buffer;
        if (_taken >= _lineAt && IsLineThere(_buffer))
        {
            _lineAt = Unknown;
        }

        return result;
    }

    /// <exception cref="BadHttpRequestException">It is there, and isn't one.</exception>
    private static bool IsLineThere(in ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        while (reader.IsNext("\r\n"u8, advancePast: true))
        {
            // Empty lines before a request mean nothing. Source: RFC 9112, section 2.2.
        }

        var beginsWithCarriageReturn = reader.TryPeek(out var first) && first == '\r';
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n'))
        {
            return false;
        }

        if (beginsWithCarriageReturn || !EndsInVersion(line))
        {
            throw new BadHttpRequestException("The request line is malformed.");
        }

        return true;
    }

    // One space and nothing else before the version; which one it is matters to Kestrel.
    private static bool EndsInVersion(in ReadOnlySequence<byte> line)
    {
        if (line.Length <= Tail.Length)
        {
            return false;
        }

        var end = line.Slice(line.Length - Tail.Length - 1);
        Span<byte> bytes = stackalloc byte[Tail.Length + 1];
        end.CopyTo(bytes);
        return bytes[0] is not ((byte)' ' or (byte)'\t') && bytes[1] == Tail[0] && bytes[^1] == Tail[^1];
    }

    private sealed record Pipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
