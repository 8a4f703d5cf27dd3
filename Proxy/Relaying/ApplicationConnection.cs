using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>One connection to an application, for one request at a time.</summary>
internal sealed class ApplicationConnection : ISocketEvents, IDisposable
{
    private const int MaxHeadBytes = 64 << 10;
    private const int NotAwaited = -1;
    private const int Answered = -2;
    private const int Unlimited = -3;

    private readonly ConnectionPool _pool;
    private readonly ReceiveBuffer _received;
    private int _awaited = NotAwaited;

    /// <param name="pool">Where it is kept between requests.</param>
    /// <param name="loop">Where it waits.</param>
    /// <param name="socket">The socket, which belongs to this from now on.</param>
    public ApplicationConnection(ConnectionPool pool, EventLoop loop, NativeSocket socket)
    {
        _pool = pool;
        Socket = new LoopSocket(loop, socket, this);
        _received = new ReceiveBuffer(Socket, isAdaptive: false);
    }

    /// <summary>The socket.</summary>
    public LoopSocket Socket { get; }

    /// <summary>The head of its latest answer.</summary>
    public AnswerHead Head { get; } = new();

    /// <summary>What follows the head of an answer that has switched protocols.</summary>
    public SocketStream Upgraded => new(Socket, _received);

    /// <summary>Bytes that were received and not used yet.</summary>
    public int Buffered => _received.Count;

    /// <summary>Whether nothing more of the answer can be had without waiting.</summary>
    public bool IsEmptied => _received.Count == 0 && Socket.IsEmptied;

    /// <summary>Whether it is in the pool. Only the pool changes it.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Whether it was aborted because the answer was too long in coming, or nothing moved on it for too long.</summary>
    public bool HasTakenTooLong { get; set; }

    /// <summary>The pool's <see cref="ConnectionPool.Ticks"/> when it began to wait for the head of an answer; absent: it doesn't, or may wait for as long as it likes.</summary>
    public int? AwaitedSince => Volatile.Read(ref _awaited) is >= 0 and var since ? since : null;

    /// <summary>The pool's notes on how long nothing has moved on it.</summary>
    public (uint Moves, int Ticks) Quiet { get; set; }

    /// <inheritdoc/>
    public void On(SocketEvents events)
    {
        // An application that sends something unasked, or ends the connection, takes it out of the pool.
        if (IsIdle && (events & ~SocketEvents.Writable) != 0 && Socket.IsReadable())
        {
            _pool.DropIdle(this);
        }
    }

    /// <summary>Begins with another request.</summary>
    /// <param name="mayWaitLong">Whether its answer may be as long in coming as it likes.</param>
    public void Begin(bool mayWaitLong) => Volatile.Write(ref _awaited, mayWaitLong ? Unlimited : NotAwaited);

    /// <summary>The whole request was sent: begins to count the time until the head of the answer, unless it is there already.</summary>
    public void AwaitAnswer() => Interlocked.CompareExchange(ref _awaited, _pool.Ticks, NotAwaited);

    /// <summary>Whether <see cref="Head"/> is that of an interim answer, which another answer follows.</summary>
    public bool HasInterim { get; private set; }

    /// <summary>Reads the head of the answer, as far as it has come.</summary>
    /// <returns>Whether it is whole. If not, an interim answer may have been read: <see cref="HasInterim"/>; the head is to be read on then.</returns>
    /// <exception cref="NothingAnsweredException">The connection ended before the answer's first byte.</exception>
    /// <exception cref="InvalidAnswerException">It is none.</exception>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public bool TryReadHead()
    {
        HasInterim = false;
        while (true)
        {
            var length = AnswerHead.FindEnd(_received.Bytes.Span);
            if (length > MaxHeadBytes)
            {
                throw new InvalidAnswerException("Its head is too long.");
            }

            if (length >= 0)
            {
                Head.Read(_received.Bytes.Span[..length]);
                _received.Consume(length);
                HasInterim = !Head.IsFinal;
                if (!HasInterim)
                {
                    Volatile.Write(ref _awaited, Answered);
                }

                return !HasInterim;
            }
            else if (!TryReceiveHead())
            {
                return false;
            }
        }
    }

    /// <summary>Moves bytes of a body to where they go.</summary>
    /// <returns>0: the application has ended its stream. <see cref="NativeSocket.WouldBlock"/>: nothing is there now.</returns>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public int Take(Span<byte> target)
    {
        if (_received.Count == 0)
        {
            return Socket.Receive(target);
        }

        var count = Math.Min(_received.Count, target.Length);
        _received.Bytes.Span[..count].CopyTo(target);
        _received.Consume(count);
        return count;
    }

    /// <summary>Takes a whole line that ends with CR LF.</summary>
    /// <param name="maxLength">Bytes that it may have without its end.</param>
    /// <param name="line">The line without its end. Valid until something more is received.</param>
    /// <returns>Whether it is whole.</returns>
    /// <exception cref="InvalidAnswerException">It is too long, or has a line end of another kind.</exception>
    public bool TryReadLine(int maxLength, out ReadOnlyMemory<byte> line)
    {
        line = _received.Bytes;
        var end = line.Span.IndexOf((byte)'\n');
        if (end < 0 && line.Length <= maxLength + 1)
        {
            return false;
        }

        if (end < 1 || end > maxLength + 1 || line.Span[end - 1] != '\r')
        {
            throw new InvalidAnswerException("A line of its body's framing is not valid.");
        }

        line = line[..(end - 1)];
        _received.Consume(end + 1);
        return true;
    }

    /// <summary>The first bytes that were received.</summary>
    public ReadOnlyMemory<byte> Peek(int count) => _received.Bytes[..count];

    /// <summary>Forgets the first bytes that were received.</summary>
    public void Consume(int count) => _received.Consume(count);

    /// <summary>Receives more behind what has been received.</summary>
    /// <param name="isMuch">Whether much is expected.</param>
    /// <returns><see langword="false"/>: nothing is there now.</returns>
    /// <exception cref="AnswerCutShortException">The application has ended its stream.</exception>
    /// <exception cref="IOException">The connection is broken or was aborted.</exception>
    public bool TryReceiveMore(bool isMuch) => _received.Fill(isMuch) switch
    {
        0 => throw new AnswerCutShortException(),
        var received => received > 0,
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        _received.Dispose();
        Socket.Dispose();
    }

    private bool TryReceiveHead()
    {
        if (_received.Count > MaxHeadBytes)
        {
            throw new InvalidAnswerException("Its head is too long.");
        }

        var isFirst = _received.Count == 0;
        try
        {
            return TryReceiveMore(isMuch: false);
        }
        catch (IOException e) when (isFirst && !Socket.IsAborted)
        {
            throw new NothingAnsweredException(e);
        }
    }
}
