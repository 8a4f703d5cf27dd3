using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Wunderproxy.Proxy.Compressing;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Pages;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Passes the application's answer on to the client: the head with the first bytes that come, and each piece as soon as no more is there at once.</summary>
/// <param name="exchange">The request and the answer.</param>
[SuppressMessage("Design", "CA1001", Justification = "The compressor is disposed where the answer it belongs to ends.")]
internal sealed class RelayedAnswer(Exchange exchange)
{
    private const int MaxChunkLine = 4 << 10;
    private const int MaxTrailerBytes = 32 << 10;
    private const int MaxInterims = 16;

    private readonly PacedAnswer _paced = new(exchange);
    private ApplicationConnection _connection = null!;
    private List<(string Name, string Value)>? _trailers;
    private bool _goesAtOnce;
    private ContentCoding _coding;
    private Compressor? _compressor;
    private AnswerAllowance _allowance;
    private int _interims;

    /// <summary>Whether interim answers have come.</summary>
    public bool HasInterims => _interims > 0;

    /// <summary>The answer's body on its way to the client.</summary>
    public PacedAnswer Paced => _paced;

    /// <summary>Begins with the answer to a request that was just sent.</summary>
    public void Begin() => _interims = 0;

    /// <summary>Passes on an interim answer, such as 103 Early Hints, to a client that knows of them; 16 at most.</summary>
    /// <remarks>Source: RFC 9110, section 15.2. Kestrel knows none but 100, so it is written past it: before the answer has begun, nobody else writes to the client, or only frames of other streams.</remarks>
    public ValueTask PassInterimOnAsync(AnswerHead head)
    {
        if (++_interims > MaxInterims || head.Status == StatusCodes.Status100Continue || IsHopByHop(head))
        {
            return ValueTask.CompletedTask;
        }

        return exchange.IsMultiplexed ? SendFrameAsync(head)
            : exchange.Context.Request.Protocol == HttpProtocol.Http11 ? exchange.Transport.SendAsync(InterimHead.Write(head))
            : ValueTask.CompletedTask;
    }

    /// <summary>Passes on an answer whose head was read.</summary>
    /// <param name="connection">Where it comes from.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <returns>Whether the connection can be used for another request.</returns>
    /// <exception cref="IOException">The application or the client broke it off.</exception>
    /// <exception cref="ReplacedAnswerException">Another page is to be shown in its place; nothing was passed on.</exception>
    /// <exception cref="AnswerTooLargeException">It is larger than its application's configuration allows.</exception>
    public ValueTask<bool> PassOnAsync(ApplicationConnection connection, Claim claim)
    {
        _connection = connection;
        var head = connection.Head;
        if (head.Status == StatusCodes.Status101SwitchingProtocols)
        {
            throw new InvalidAnswerException("It switches to a protocol that nobody asked for.");
        }

        if (ClientAnswer.IsReplaced(exchange, head.Status))
        {
            exchange.Answered();
            throw new ReplacedAnswerException(head.Status);
        }

        var method = exchange.Context.Request.Method;
        var isKept = TakeHead(head, claim) && head.IsHttp11;
        var hasBody = ClientAnswer.HasBody(head.Status, method);
        if (!hasBody || (head.Length == 0 && !head.IsChunked))
        {
            return new ValueTask<bool>(isKept && connection.Buffered == 0 && (hasBody || IsBodiless(head, method)));
        }

        _allowance.Begin(claim, head.Length);
        if (head.Length <= connection.Buffered && _coding == ContentCoding.Identity && exchange.ResponseBody.StartAsync(CancellationToken.None) is { IsCompletedSuccessfully: true })
        {
            // Kestrel sends it together with the head when the request ends.
            _paced.Begin(null);
            Take((int)head.Length);
            return new ValueTask<bool>(isKept && connection.Buffered == 0);
        }

        claim.StaysOpen |= head.Length is null;
        return PassBodyOnAsync(head, claim, isKept);
    }

    /// <summary>Takes over the head of an answer that switches protocols.</summary>
    /// <exception cref="InvalidAnswerException">It doesn't show that it means WebSockets, for which a client of HTTP/2 doesn't ask itself.</exception>
    public void TakeSwitch(AnswerHead head, Claim claim)
    {
        TakeHead(head, claim);
        var (request, headers) = (exchange.Context.Request, exchange.Context.Response.Headers);
        if (Upgrade.IsConnect(request) && (headers.SecWebSocketAccept != WebSocketKey.AnswerTo(request.Headers.SecWebSocketKey.ToString()) || !headers.Remove("Sec-WebSocket-Accept")))
        {
            throw new InvalidAnswerException("It doesn't agree to WebSockets as they are asked for.");
        }
    }

    private ValueTask SendFrameAsync(AnswerHead head)
    {
        var features = exchange.Context.Features;
        var frame = InterimFrame.Write(head, features.GetRequiredFeature<IHttp2StreamIdFeature>().StreamId);
        return frame.IsEmpty || exchange.IsClientGone ? ValueTask.CompletedTask : features.GetRequiredFeature<FramedWriter>().SendAsync(frame);
    }

    private static bool IsHopByHop(AnswerHead head)
    {
        foreach (ref readonly var field in head.Fields)
        {
            if (field.Kind == AnswerHead.FieldKind.Connection)
            {
                return true;
            }
        }

        return false;
    }

    // To HEAD and with 304 a length says what would be sent; elsewhere bytes may follow that belong to no answer.
    private static bool IsBodiless(AnswerHead head, string method) =>
        HttpMethods.IsHead(method) || head.Status == StatusCodes.Status304NotModified || (!head.IsChunked && head.Length is null or 0);

    private bool TakeHead(AnswerHead head, Claim claim)
    {
        exchange.Answered();
        var response = exchange.Context.Response;
        response.StatusCode = head.Status;
        exchange.SetReason(head.Reason);
        _goesAtOnce = false;
        var isKept = TakeFields(head, response.Headers, claim);
        _coding = ClientAnswer.EndHead(exchange, head.Length);
        return isKept;
    }

    private bool TakeFields(AnswerHead head, IHeaderDictionary headers, Claim claim)
    {
        var isKept = true;
        foreach (ref readonly var field in head.Fields)
        {
            switch (field.Kind)
            {
                case AnswerHead.FieldKind.Plain or AnswerHead.FieldKind.Trailer:
                    ClientAnswer.Append(headers, field.Name, field.Value);
                    break;
                case AnswerHead.FieldKind.Type:
                    ClientAnswer.Append(headers, field.Name, field.Value);
                    ClientAnswer.BecomeStreamIfItIs(field.Value, claim);
                    _goesAtOnce |= BodyKinds.GoesAtOnce(field.Value);
                    break;
                case AnswerHead.FieldKind.Buffering:
                    _goesAtOnce |= field.Value.Equals("no", StringComparison.OrdinalIgnoreCase);
                    break;
                case AnswerHead.FieldKind.Connection:
                    isKept &= !ConnectionHeader.SaysClose(field.Value);
                    break;
            }
        }

        foreach (ref readonly var field in head.Fields)
        {
            if (field.Kind == AnswerHead.FieldKind.Connection)
            {
                ConnectionHeader.Remove(headers, field.Value);
            }
        }

        return isKept;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PassBodyOnAsync(AnswerHead head, Claim claim, bool isKept)
    {
        var body = exchange.ResponseBody;

        // Read ahead where it is there already: an answer that can't be read at all becomes a 502 rather than a beginning.
        var first = head.IsChunked && _connection.TryReadLine(MaxChunkLine, out var line) ? SizeIn(line.Span) : (long?)null;
        _trailers = head.IsChunked && ClientAnswer.TryPrepareForTrailers(exchange) ? [] : null;
        await body.StartAsync(CancellationToken.None);
        claim.BreaksOff(exchange);
        _paced.Begin(_goesAtOnce || body.IsUnfinished || exchange.Serving is not { Buffering: { Answers: true } buffering } ? null : buffering);
        if (head.Length is not null && _coding == ContentCoding.Identity)
        {
            _paced.GoUnframed();
        }

        await (_coding != ContentCoding.Identity ? CompressAsync(head, first) : head.IsChunked ? PassChunksOnAsync(first) : PassBytesOnAsync(head.Length));
        if (!head.IsChunked || _paced.IsBehind)
        {
            await _paced.EndAsync();
        }

        if (_trailers is not null)
        {
            await ClientAnswer.EndAsync(exchange, _trailers);
        }

        return isKept && _connection.Buffered == 0 && (head.IsChunked || head.Length is not null);
    }

    private async ValueTask CompressAsync(AnswerHead head, long? first)
    {
        await using var compressor = _compressor = new Compressor(_coding, new PacedStream(_paced), CancellationToken.None);
        try
        {
            await (head.IsChunked ? PassChunksOnAsync(first) : PassChunkOnAsync(head.Length ?? long.MaxValue));
        }
        catch (AnswerCutShortException) when (!head.IsChunked && head.Length is null)
        {
            // The end of the connection is that of the answer.
        }
        finally
        {
            _compressor = null;
        }

        await compressor.EndAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PassBytesOnAsync(long? length)
    {
        var left = length ?? long.MaxValue;
        while (left > 0)
        {
            var taken = Take((int)Math.Min(left, _connection.Buffered > 0 ? _connection.Buffered : PacedAnswer.Piece));
            if (taken == NativeSocket.WouldBlock)
            {
                await _paced.FlushAsync();
                await _connection.Socket.WaitUntilReadableAsync();
            }
            else if (taken == 0)
            {
                left = length is null ? 0 : throw new AnswerCutShortException();
            }
            else
            {
                left -= taken;
                _allowance.Take(taken);
                await _paced.FlushIfMuchAsync();
            }
        }
    }

    // From socket to socket, or straight from the application's socket into the memory from which it is sent to the client.
    private int Take(int count)
    {
        if (_connection.IsEmptied)
        {
            return NativeSocket.WouldBlock;
        }

        if (count >= KernelPipe.Least && _connection.Buffered == 0 && _paced.CanMove)
        {
            return _paced.Move(_connection.Socket, count);
        }

        var memory = _paced.GetMemory(count);
        var taken = _connection.Take(memory.Span[..Math.Min(count, memory.Length)]);
        if (taken > 0)
        {
            _paced.Advance(taken);
        }

        return taken;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PassChunksOnAsync(long? first)
    {
        var size = first ?? await ReadChunkSizeAsync();
        while (size > 0)
        {
            await PassChunkOnAsync(size);
            if ((await ReadLineAsync(0)).Length > 0)
            {
                throw new InvalidAnswerException("A chunk of its body is longer than it says.");
            }

            size = await ReadChunkSizeAsync();
        }

        await ReadTrailersAsync();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PassChunkOnAsync(long size)
    {
        while (size > 0)
        {
            while (_connection.Buffered == 0)
            {
                await ReceiveMoreAsync();
            }

            var passed = await PassBufferedOnAsync((int)Math.Min(size, _connection.Buffered));
            _allowance.Take(passed);
            size -= passed;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> PassBufferedOnAsync(int count)
    {
        if (_compressor is { } compressor)
        {
            await compressor.WriteAsync(_connection.Peek(count));
            _connection.Consume(count);
        }
        else if (!exchange.ResponseBody.IsUnfinished)
        {
            count = Take(count);
            await _paced.FlushIfMuchAsync();
        }
        else
        {
            await exchange.ResponseBody.WriteAsync(_connection.Peek(count), CancellationToken.None);
            _connection.Consume(count);
        }

        return count;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<long> ReadChunkSizeAsync() => SizeIn((await ReadLineAsync(MaxChunkLine)).Span);

    // 1a;extension=value
    private static long SizeIn(ReadOnlySpan<byte> line)
    {
        var end = line.IndexOf((byte)';');
        var digits = (end < 0 ? line : line[..end]).TrimEnd(" \t"u8);
        return digits.Length is > 0 and < 16 && Utf8Parser.TryParse(digits, out long size, out var read, 'x') && read == digits.Length && !line.Contains((byte)'\r')
            ? size
            : throw new InvalidAnswerException("A chunk of its body has no valid size.");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReadTrailersAsync()
    {
        var left = MaxTrailerBytes;
        while (await ReadLineAsync(left) is { Length: > 0 } line)
        {
            left -= line.Length;
            var trailer = AnswerHead.ReadTrailer(line.Span);
            if (ClientAnswer.IsTrailer(trailer.Name))
            {
                _trailers?.Add(trailer);
            }
        }
    }

    // The line stays valid until something more is received.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadOnlyMemory<byte>> ReadLineAsync(int maxLength)
    {
        ReadOnlyMemory<byte> line;
        while (!_connection.TryReadLine(maxLength, out line))
        {
            await ReceiveMoreAsync();
        }

        return line;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveMoreAsync()
    {
        while (!_connection.TryReceiveMore(isMuch: true))
        {
            if (_compressor is { } compressor)
            {
                await compressor.FlushAsync();
            }

            await _paced.FlushAsync();
            await _connection.Socket.WaitUntilReadableAsync();
        }
    }
}
