using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Sends a request to the application: its head, and its body piece by piece as it comes from the client.</summary>
/// <param name="exchange">The request.</param>
internal sealed class RelayedRequest(Exchange exchange) : IDisposable
{
    // Up to here copying a piece behind what is to be sent before it costs less than sending it by a call of its own.
    private const int SmallPiece = 8 << 10;

    private readonly HeadWriter _head = new();
    private readonly HeadWriter _unsent = new();
    private bool _isChunked;
    private bool _isHeadSent;

    // Bytes of the body that weren't read yet, where the client says how long it is.
    private long Left => exchange.Context.Request.ContentLength.GetValueOrDefault() - exchange.BytesIn;

    private static ReadResult Nothing => new(default, isCanceled: true, isCompleted: false);

    /// <summary>Whether a body follows the head.</summary>
    public bool HasBody { get; private set; }

    /// <summary>Whether the client sends the body only when it is told to go on. Source: RFC 9110, section 10.1.1.</summary>
    public bool WaitsToGoOn { get; private set; }

    /// <summary>The protocol that it asks to switch to; absent: none.</summary>
    public string? Protocol { get; private set; }

    /// <summary>Whether all of the request was sent.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Whether the body was given up because it is longer than it may be.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>Why the client's body couldn't be read; absent: it could so far.</summary>
    public Exception? ClientFailure { get; private set; }

    /// <summary>Puts the head together.</summary>
    public void Prepare(bool hasBody)
    {
        var request = exchange.Context.Request;
        Protocol = Upgrade.AskedBy(exchange.Context);
        hasBody &= Protocol is null;
        (HasBody, IsWhole, IsTooLarge, ClientFailure) = (hasBody, false, false, null);
        if (Upgrade.IsConnect(request))
        {
            request.Headers.SecWebSocketKey = WebSocketKey.New();
        }

        _isChunked = hasBody && request.ContentLength is null;
        if (exchange.Collected is not null)
        {
            // The client was told to go on.
            request.Headers.Expect = default;
        }

        WaitsToGoOn = hasBody && request.Headers.Expect is [var expectation] && string.Equals(expectation, "100-continue", StringComparison.OrdinalIgnoreCase);
        _isHeadSent = false;
        _head.Clear();
        RequestHead.Write(exchange, hasBody, Protocol, _head);
    }

    /// <summary>Sends a request that has no body.</summary>
    public ValueTask SendAsync(ApplicationConnection connection)
    {
        var head = _head.Written;
        try
        {
            var sent = connection.Socket.Send(head.Span);
            EndSending(connection, isWhole: sent == head.Length);
            return IsWhole ? ValueTask.CompletedTask : SendRestAsync(connection, head[sent..]);
        }
        catch (IOException)
        {
            // It may have answered all the same: that is for whoever reads its answer to see.
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Sends the head of a request whose body may follow.</summary>
    public async ValueTask SendHeadAsync(ApplicationConnection connection)
    {
        await TrySendAsync(connection, _head.Written);
        _isHeadSent = true;
    }

    /// <summary>Sends a request with its body, or the body if the head was sent. Ends when all of it was sent, or nothing more can be.</summary>
    /// <param name="connection">The connection to the application.</param>
    /// <param name="maxBytes">Bytes that the body may have; absent: any.</param>
    public async Task SendWithBodyAsync(ApplicationConnection connection, long? maxBytes)
    {
        var body = exchange.Body;
        _unsent.Clear();
        _unsent.Write(_isHeadSent ? default : _head.Written.Span);
        var isGoing = true;
        while (isGoing && await ReadAsync(body, connection) is { IsCanceled: false } read)
        {
            exchange.BytesIn += read.Buffer.Length;
            isGoing = !IsBeyond(maxBytes, connection) && await TrySendPieceAsync(connection, read.Buffer);
            body.AdvanceTo(read.Buffer.End);
            if (isGoing && read.IsCompleted)
            {
                EndSending(connection, await TrySendEndAsync(connection));
                isGoing = false;
            }
        }

        _unsent.Dispose();
    }

    /// <summary>Makes <see cref="SendWithBodyAsync"/> end, if it waits for the client.</summary>
    public void Stop() => exchange.Body.CancelPendingRead();

    /// <inheritdoc/>
    public void Dispose()
    {
        _head.Dispose();
        _unsent.Dispose();
    }

    private async ValueTask SendRestAsync(ApplicationConnection connection, ReadOnlyMemory<byte> rest) => EndSending(connection, await TrySendAsync(connection, rest));

    private void EndSending(ApplicationConnection connection, bool isWhole)
    {
        IsWhole = isWhole;
        if (isWhole)
        {
            connection.AwaitAnswer();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> ReadAsync(PipeReader body, ApplicationConnection connection)
    {
        try
        {
            while (MayMove(connection) && await TrySendUnsentAsync(connection, isMoreComing: false) && TryMove(body, connection, out var other))
            {
                if (other is { } unmoved)
                {
                    return unmoved;
                }
            }

            if (body.TryRead(out var read))
            {
                return read;
            }

            // What is there must not wait for what the client has still to send.
            if (!await TrySendUnsentAsync(connection, isMoreComing: false))
            {
                return Nothing;
            }

            read = await body.ReadAsync(CancellationToken.None);
            if (read.IsCanceled)
            {
                body.AdvanceTo(read.Buffer.Start);
            }

            return read;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The application must not take what it has got for the whole.
            ClientFailure = e;
            connection.Socket.Abort();
            return Nothing;
        }
    }

    private bool MayMove(ApplicationConnection connection) =>
        KernelPipe.IsSupported && !_isChunked && exchange is { Collected: null, IsMultiplexed: false } && Left >= KernelPipe.Least
        && exchange.Transport.PlainInput is { Received.Count: 0 } && connection.Socket.Loop == exchange.Transport.Loop && EventLoop.Current == exchange.Transport.Loop;

    // From socket to socket. Nothing else may run on the loop before the pipe is empty again.
    private bool TryMove(PipeReader body, ApplicationConnection connection, out ReadResult? other)
    {
        var (input, pipe) = (exchange.Transport.PlainInput!, connection.Socket.Loop.Pipe);
        other = null;
        try
        {
            input.PipeLimit = (int)Math.Min(Left, KernelPipe.Capacity);
            if (!body.TryRead(out var read))
            {
                return false;
            }

            if (!input.IsInPipe)
            {
                other = read;
                return true;
            }

            exchange.BytesIn += read.Buffer.Length;
            other = TrySendPipe(connection, pipe) ? null : Nothing;
            body.AdvanceTo(read.Buffer.End);
            return true;
        }
        finally
        {
            input.PipeLimit = 0;
            pipe.Discard();
        }
    }

    private bool TrySendPipe(ApplicationConnection connection, KernelPipe pipe)
    {
        try
        {
            connection.Socket.SendFromPipe();
            _unsent.Write(pipe);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    // The application must not take what it has got for the whole.
    private bool IsBeyond(long? maxBytes, ApplicationConnection connection)
    {
        if (exchange.BytesIn > maxBytes)
        {
            IsTooLarge = true;
            connection.Socket.Abort();
        }

        return IsTooLarge;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TrySendPieceAsync(ApplicationConnection connection, ReadOnlySequence<byte> piece)
    {
        if (piece.IsEmpty)
        {
            return true;
        }

        if (_isChunked)
        {
            GatherChunk(piece);
            return true;
        }

        if (piece.Length <= SmallPiece)
        {
            Gather(piece);
            return true;
        }

        var isGoing = await TrySendUnsentAsync(connection, isMoreComing: true);
        foreach (var bytes in piece)
        {
            isGoing = isGoing && await TrySendAsync(connection, bytes);
        }

        return isGoing;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TrySendEndAsync(ApplicationConnection connection)
    {
        return TryGatherEnd(connection) && await TrySendUnsentAsync(connection, isMoreComing: false);
    }

    private bool TryGatherEnd(ApplicationConnection connection)
    {
        if (!_isChunked)
        {
            return true;
        }

        exchange.LineGuard?.ChunksEnded();
        try
        {
            _unsent.Write("0\r\n"u8);
            _unsent.Write(RequestTrailers.Of(exchange));
            _unsent.Write("\r\n"u8);
            return true;
        }
        catch (IOException)
        {
            connection.Socket.Abort();
            return false;
        }
    }

    private void GatherChunk(ReadOnlySequence<byte> piece)
    {
        _unsent.WriteHex(piece.Length);
        _unsent.Write("\r\n"u8);
        Gather(piece);
        _unsent.Write("\r\n"u8);
    }

    private void Gather(ReadOnlySequence<byte> piece)
    {
        foreach (var bytes in piece)
        {
            _unsent.Write(bytes.Span);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> TrySendUnsentAsync(ApplicationConnection connection, bool isMoreComing)
    {
        var isSent = _unsent.Written.IsEmpty || await TrySendAsync(connection, _unsent.Written, isMoreComing);
        _unsent.Clear();
        return isSent;
    }

    // An application that takes no more may have answered: that is for whoever reads its answer to see.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<bool> TrySendAsync(ApplicationConnection connection, ReadOnlyMemory<byte> bytes, bool isMoreComing = false)
    {
        try
        {
            await connection.Socket.SendAsync(bytes, isMoreComing);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
