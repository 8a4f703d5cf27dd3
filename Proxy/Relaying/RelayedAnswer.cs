using System.Buffers.Text;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Pages;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Passes the application's answer on to the client: the head with the first bytes that come, and each piece as soon as no more is there at once.</summary>
/// <param name="exchange">The request and the answer.</param>
internal sealed class RelayedAnswer(Exchange exchange)
{
    private const int Piece = 64 << 10;
    private const int MaxChunkLine = 4 << 10;
    private const int MaxTrailerBytes = 32 << 10;
    private const int MaxInterims = 16;

    private readonly PacedAnswer _paced = new(exchange);
    private ApplicationConnection _connection = null!;
    private List<(string Name, string Value)>? _trailers;
    private bool _goesAtOnce;
    private int _interims;

    /// <summary>Whether interim answers have come.</summary>
    public bool HasInterims => _interims > 0;

    /// <summary>The answer's body on its way to the client.</summary>
    public PacedAnswer Paced => _paced;

    /// <summary>Begins with the answer to a request that was just sent.</summary>
    public void Begin() => _interims = 0;

    /// <summary>Passes on an interim answer, such as 103 Early Hints, to a client that knows of them; 16 at most.</summary>
    /// <remarks>Source: RFC 9110, section 15.2. Kestrel knows none but 100, so it is written past it: before the answer has begun, nobody else writes to the client.</remarks>
    public ValueTask PassInterimOnAsync(AnswerHead head)
    {
        var isKnown = exchange.Context.Request.Protocol == HttpProtocol.Http11 && head.Status != StatusCodes.Status100Continue;
        return ++_interims <= MaxInterims && isKnown && !IsHopByHop(head) ? exchange.Transport.SendAsync(InterimHead.Write(head)) : ValueTask.CompletedTask;
    }

    /// <summary>Passes on an answer whose head was read.</summary>
    /// <param name="connection">Where it comes from.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <returns>Whether the connection can be used for another request.</returns>
    /// <exception cref="IOException">The application or the client broke it off.</exception>
    /// <exception cref="ReplacedAnswerException">Another page is to be shown in its place; nothing was passed on.</exception>
    public ValueTask<bool> PassOnAsync(ApplicationConnection connection, Claim claim)
    {
        _connection = connection;
        var head = connection.Head;
        if (head.Status == StatusCodes.Status101SwitchingProtocols)
        {
            throw new InvalidAnswerException("It switches to a protocol that nobody asked for.");
        }

        if (head.Status >= StatusCodes.Status400BadRequest && exchange.Serving is { } serving && serving.ReplacesAnswer(head.Status) && ProblemPage.IsForBrowser(exchange))
        {
            exchange.Answered();
            throw new ReplacedAnswerException(head.Status);
        }

        var method = exchange.Context.Request.Method;
        var isKept = TakeHead(head, claim) && head.IsHttp11;
        var hasBody = HasBody(head.Status, method);
        if (!hasBody || (head.Length == 0 && !head.IsChunked))
        {
            return new ValueTask<bool>(isKept && connection.Buffered == 0 && (hasBody || IsBodiless(head, method)));
        }

        if (head.Length <= connection.Buffered && exchange.ResponseBody.StartAsync(CancellationToken.None) is { IsCompletedSuccessfully: true })
        {
            // Kestrel sends it together with the head when the request ends.
            _paced.Begin(null, claim.Upstream.Time);
            Take((int)head.Length);
            return new ValueTask<bool>(isKept && connection.Buffered == 0);
        }

        claim.StaysOpen |= head.Length is null;
        return PassBodyOnAsync(head, claim, isKept);
    }

    /// <summary>Takes over the head of an answer that switches protocols.</summary>
    public void TakeSwitch(AnswerHead head, Claim claim) => TakeHead(head, claim);

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

    private static bool HasBody(int status, string method) =>
        status is not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified) && !HttpMethods.IsHead(method);

    private bool TakeHead(AnswerHead head, Claim claim)
    {
        exchange.Answered();
        var context = exchange.Context;
        var response = context.Response;
        response.StatusCode = head.Status;
        exchange.SetReason(head.Reason);
        _goesAtOnce = false;
        var isKept = TakeFields(head, response.Headers, claim);
        response.ContentLength = head.Length;
        DropLengthWhereThereIsNoBody(response);
        exchange.NameAnswer();
        if (ConnectionHeader.AsksForClose(context.Request))
        {
            response.Headers.Connection = "close";
        }

        return isKept;
    }

    // Answers that never have a body; some applications send a length with them.
    private static void DropLengthWhereThereIsNoBody(HttpResponse response)
    {
        if (response.StatusCode is StatusCodes.Status101SwitchingProtocols or StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)
        {
            response.Headers.ContentLength = null;
        }
    }

    private bool TakeFields(AnswerHead head, IHeaderDictionary headers, Claim claim)
    {
        var isKept = true;
        foreach (ref readonly var field in head.Fields)
        {
            switch (field.Kind)
            {
                case AnswerHead.FieldKind.Plain or AnswerHead.FieldKind.Trailer:
                    Append(headers, field.Name, field.Value);
                    break;
                case AnswerHead.FieldKind.Type:
                    Append(headers, field.Name, field.Value);
                    BecomeStreamIfItIs(field.Value, claim);
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

    private static void Append(IHeaderDictionary headers, string name, string value)
    {
        var former = headers[name];
        headers[name] = former.Count == 0 ? value : StringValues.Concat(former, value);
    }

    private static void BecomeStreamIfItIs(string type, Claim claim)
    {
        if (RequestChecks.IsEventStream(type))
        {
            claim.BecomeStream(RequestKind.Stream);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PassBodyOnAsync(AnswerHead head, Claim claim, bool isKept)
    {
        var body = exchange.ResponseBody;
        _trailers = null;

        // Read ahead where it is there already: an answer that can't be read at all becomes a 502 rather than a beginning.
        var first = head.IsChunked && _connection.TryReadLine(MaxChunkLine, out var line) ? SizeIn(line.Span) : (long?)null;
        if (head.IsChunked)
        {
            PrepareForTrailers();
        }

        await body.StartAsync(CancellationToken.None);
        claim.BreaksOff(exchange);
        _paced.Begin(_goesAtOnce || body.IsUnfinished || exchange.Serving is not { Buffering: { Answers: true } buffering } ? null : buffering, claim.Upstream.Time);
        if (!head.IsChunked)
        {
            await PassBytesOnAsync(head.Length);
            await _paced.EndAsync();
            return isKept && _connection.Buffered == 0 && head.Length is not null;
        }

        await PassChunksOnAsync(first);
        if (body.IsUnfinished)
        {
            await body.EndWithTrailersAsync(_trailers!, CancellationToken.None);
        }
        else if (_paced.IsBehind)
        {
            await _paced.EndAsync();
        }

        return isKept && _connection.Buffered == 0;
    }

    // In HTTP/1.1 the client has to know at the head that trailers come: those that the application doesn't announce are dropped, as RFC 9110 (section 6.5) allows.
    private void PrepareForTrailers()
    {
        var context = exchange.Context;
        if (exchange.IsMultiplexed)
        {
            _trailers = [];
        }
        else if (context.Response.Headers.Trailer.Count > 0 && context.Request.Protocol == HttpProtocol.Http11)
        {
            _trailers = [];
            context.Response.Headers.TransferEncoding = "chunked";
            exchange.ResponseBody.FrameInChunks();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask PassBytesOnAsync(long? length)
    {
        var left = length ?? long.MaxValue;
        while (left > 0)
        {
            var taken = Take((int)Math.Min(left, _connection.Buffered > 0 ? _connection.Buffered : Piece));
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
                await _paced.FlushIfMuchAsync();
            }
        }
    }

    // Straight from the application's socket into the memory from which it is sent to the client.
    private int Take(int count)
    {
        if (_connection.IsEmptied)
        {
            return NativeSocket.WouldBlock;
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

            size -= await PassBufferedOnAsync((int)Math.Min(size, _connection.Buffered));
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> PassBufferedOnAsync(int count)
    {
        if (!exchange.ResponseBody.IsUnfinished)
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
            if (!HopHeaders.Contains(trailer.Name) && !RequestTrailers.BelongsToHead(trailer.Name))
            {
                _trailers?.Add(trailer);
            }
        }

        if (exchange.IsMultiplexed)
        {
            LeaveTrailersToServer();
        }
    }

    // Of HTTP/2 it knows how. Source: RFC 9113, section 8.1.
    private void LeaveTrailersToServer()
    {
        foreach (var (name, value) in _trailers!)
        {
            Append(exchange.Context.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers, name, value);
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
            await _paced.FlushAsync();
            await _connection.Socket.WaitUntilReadableAsync();
        }
    }
}
