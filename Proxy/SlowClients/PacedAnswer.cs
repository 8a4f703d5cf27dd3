using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Gives an answer to its client at the client's pace, and takes it from the application as fast as it comes.</summary>
/// <remarks>
/// <para>
/// As long as the client takes what comes, the application's bytes go straight into the memory from which they are sent. Once the client has let the answer wait for some milliseconds without taking anything, or for longer
/// though it took some, what comes goes into a <see cref="Spool"/>, behind what is on its way; when the client has caught up it goes straight again. So nothing is ever kept from a client that could take it, and a
/// quick client costs nothing.
/// </para>
/// <para>
/// Giving and taking may be on different threads. Who gives to the client ends, under the lock, when nothing is left; who takes from the application begins that anew. So one of them at a
/// time writes to the client.
/// </para>
/// </remarks>
/// <param name="exchange">The request and the answer.</param>
[SuppressMessage("Design", "CA1001", Justification = "What it has is given back at the end of each answer.")]
internal sealed class PacedAnswer(Exchange exchange) : IWaitForClient
{
    /// <summary>Bytes that are sent together, where they are there.</summary>
    public const int Piece = 62 << 10;

    private const int LongestPatience = 4;

    private readonly Lock _lock = new();
    private PipeWriter _client = null!;
    private SocketWriter? _socket;
    private Buffering? _buffering;
    private LoopSignal? _progress;
    private Spool? _spool;
    private Task _delivery = Task.CompletedTask;
    private int _unflushed;
    private bool _isLate;
    private int _looks;
    private uint _moves;
    private bool _isReadAhead;
    private bool _wasFull;
    private volatile bool _isDelivering;
    private volatile bool _isPatienceOver;
    private volatile bool _isBroken;

    /// <summary>Whether the client is behind: what is written waits until it is ready.</summary>
    public bool IsBehind => _spool is not null;

    /// <summary>Whether something is still on its way to the client.</summary>
    public bool HasRest => _isDelivering;

    /// <summary>Begins with an answer.</summary>
    /// <param name="buffering">What may be kept; absent: nothing.</param>
    public void Begin(Buffering? buffering)
    {
        _client = exchange.ResponseBody.Writer;
        _socket = null;
        _buffering = buffering;
        (_unflushed, _looks) = (0, 0);
        (_isLate, _isReadAhead, _wasFull) = (false, false, false);
        (_isPatienceOver, _isBroken) = (false, false);
    }

    /// <summary>Memory for bytes of the application: as many as are asked for, or fewer.</summary>
    public Memory<byte> GetMemory(int count) => _spool is { } spool ? spool.Room : _client.GetMemory(count);

    /// <summary>Says that the first bytes of that memory were filled.</summary>
    public void Advance(int count)
    {
        if (_spool is { } spool)
        {
            spool.Filled(count);
        }
        else
        {
            _client.Advance(count);
            exchange.ResponseBody.Count(count);
            _unflushed += count;
        }
    }

    /// <summary>Says that Kestrel adds nothing to the bytes of the answer, so that they may go from socket to socket.</summary>
    public void GoUnframed() => _socket = exchange.IsMultiplexed ? null : exchange.Transport.PlainOutput;

    /// <summary>Whether bytes may go from socket to socket now.</summary>
    public bool CanMove => KernelPipe.IsSupported && _socket is not null && _spool is null && EventLoop.Current == exchange.Transport.Loop;

    /// <summary>Moves bytes of the application's socket on, behind what was written. They are sent at once, as far as the client is ready for them.</summary>
    /// <param name="source">The application's socket, on the client's loop.</param>
    /// <param name="count">Bytes that are wanted.</param>
    /// <returns>As <see cref="LoopSocket.Receive"/>.</returns>
    /// <exception cref="IOException">The application's connection is broken.</exception>
    public int Move(LoopSocket source, int count)
    {
        var pipe = source.Loop.Pipe;
        var moved = source.ReceiveIntoPipe(Math.Min(count, KernelPipe.Capacity));
        if (moved <= 0)
        {
            return moved;
        }

        try
        {
            _socket!.TakesPipe = true;
            var memory = _client.GetMemory(moved);
            if (!SocketWriter.StandsForPipe(memory))
            {
                pipe.Read(memory.Span[..moved]);
            }

            Advance(moved);
        }
        finally
        {
            // Where the client's connection has just ended, nobody has taken it.
            _socket!.TakesPipe = false;
            pipe.Discard();
        }

        _unflushed = _socket.UnflushedBytes > 0 ? Piece : _unflushed;
        return moved;
    }

    /// <summary>Sends what was written if it is much, and waits until more may be written.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    public ValueTask FlushIfMuchAsync() => (_spool is { } spool ? spool.Room.IsEmpty : _unflushed >= Piece) ? FlushAsync() : ValueTask.CompletedTask;

    /// <summary>Sends what was written, and waits until more may be written.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        if (_spool is null && !TryBeginDelivery(out var flush))
        {
            _isBroken = (await flush).IsCompleted;
            ThrowIfBroken();
            return;
        }

        while (!MayWrite())
        {
            await _progress!.WaitAsync();
        }

        ThrowIfBroken();
    }

    /// <summary>Sends the rest. What the client isn't ready for goes on then, as long as <see cref="HasRest"/>.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask EndAsync()
    {
        if (_spool is null)
        {
            if (TryBeginDelivery(out var flush))
            {
                return;
            }

            _isBroken = (await flush).IsCompleted;
        }
        else if (!_isBroken && !_isDelivering && !_spool.IsEmpty)
        {
            BeginDelivery(null);
        }

        ThrowIfBroken();
    }

    /// <summary>Waits until the client has taken what was kept, or is gone.</summary>
    /// <returns>Whether it has taken it.</returns>
    public async ValueTask<bool> DeliverRestAsync()
    {
        exchange.Buffers.DeliveringBegan();
        await _delivery;
        exchange.Buffers.DeliveringEnded();
        return !_isBroken;
    }

    /// <summary>Gives back what it has, once nothing is on its way any more.</summary>
    public void Release()
    {
        _spool?.Dispose();
        _spool = null;
        if (_isLate)
        {
            exchange.Buffers.Late.Remove(this);
        }
    }

    /// <summary>Looks whether the application waits for a client that has taken nothing since the last look, or for the fifth time: then the answer is taken ahead of the client from now on.</summary>
    /// <returns>Whether it is.</returns>
    public bool LookAtClient()
    {
        if (!_isDelivering)
        {
            return false;
        }

        var former = _moves;
        _moves = exchange.Transport.Moves;
        _isPatienceOver = _looks++ is var looks and > 0 && (_moves == former || looks >= LongestPatience);
        if (_isPatienceOver)
        {
            _progress!.Signal();
            _socket?.StopSending();
        }

        return _isPatienceOver;
    }

    // Where the client isn't ready, and something may be kept for it.
    private bool TryBeginDelivery(out ValueTask<FlushResult> flush)
    {
        if (_buffering is not null && !_isPatienceOver && _socket is { } socket && !socket.TrySend())
        {
            flush = default;
            BeginDelivery(null);
        }
        else
        {
            flush = Flush();
            if (flush.IsCompleted || _buffering is null)
            {
                return false;
            }

            BeginDelivery(flush);
        }

        BeginPatience();
        return true;
    }

    private ValueTask<FlushResult> Flush()
    {
        _unflushed = 0;
        return _client.FlushAsync(CancellationToken.None);
    }

    // Once for each answer, when its client lets it wait for the first time.
    private void BeginPatience()
    {
        if (!_isLate)
        {
            _isLate = true;
            exchange.Buffers.Late.Add(this);
        }
    }

    private bool MayWrite()
    {
        if (_isBroken || TryGoStraight())
        {
            return true;
        }

        if (!_isPatienceOver)
        {
            return false;
        }

        if (_spool is null)
        {
            BeginKeeping();
        }

        var hasRoom = _spool!.TryMakeRoom();
        if (!hasRoom && !_wasFull && !_spool.IsWriting)
        {
            _wasFull = true;
            exchange.Buffers.WasFull();
        }

        return hasRoom;
    }

    // Where nothing is on its way to the client, and nothing is kept any more.
    private bool TryGoStraight()
    {
        if (!_isDelivering && _spool is { IsEmpty: false })
        {
            BeginDelivery(null);
        }

        if (_isDelivering)
        {
            return false;
        }

        _spool?.Dispose();
        _spool = null;
        return true;
    }

    private void BeginKeeping()
    {
        var spool = new Spool(exchange.Buffers, _buffering!.Memory, _buffering.MaxAnswer, _progress!, exchange.Transport.Loop);
        if (!_isReadAhead)
        {
            _isReadAhead = true;
            exchange.Buffers.ReadAheadBegan();
        }

        lock (_lock)
        {
            _spool = spool;
        }
    }

    private void BeginDelivery(ValueTask<FlushResult>? flush)
    {
        _progress ??= new LoopSignal(exchange.Transport.Loop);
        _isDelivering = true;
        _delivery = DeliverAsync(flush);
    }

    // Nothing but the end of the connection makes a flush fail, and nothing but the disk what is brought back.
    private async Task DeliverAsync(ValueTask<FlushResult>? begun)
    {
        try
        {
            // Kestrel, which looks after clients that take too little, leaves the loop for each wait.
            if (begun is null && _socket is not null && !_isPatienceOver)
            {
                await _socket.SendAsync();
            }

            var flush = begun ?? Flush();
            while (!(_isBroken = (await flush).IsCompleted) && await TryWriteNextAsync())
            {
                flush = Flush();
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _isBroken = true;
        }

        if (_isBroken)
        {
            _isDelivering = false;
        }

        _progress!.Signal();
    }

    private async ValueTask<bool> TryWriteNextAsync()
    {
        while (FindKept() is { } spool)
        {
            if (spool.TryPeek(out var bytes))
            {
                bytes.CopyTo(_client.GetMemory(bytes.Length));
                _client.Advance(bytes.Length);
                exchange.ResponseBody.Count(bytes.Length);
                spool.Take(bytes.Length);
                _progress!.Signal();
                return true;
            }

            await spool.LoadAsync();
        }

        return false;
    }

    // Whoever writes next sees that this has ended.
    private Spool? FindKept()
    {
        lock (_lock)
        {
            var kept = _spool is { IsEmpty: false } spool ? spool : null;
            _isDelivering = kept is not null;
            return kept;
        }
    }

    private void ThrowIfBroken()
    {
        if (_isBroken)
        {
            // Sending may fail before the loop tells that the client has left.
            exchange.Transport.LookForEnd();
            throw new IOException("The client is gone.");
        }
    }
}
