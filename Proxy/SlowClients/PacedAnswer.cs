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
/// As long as the client takes what comes, the application's bytes go straight into the memory from which they are sent. Once the client has let the answer wait for 5 ms, what comes goes
/// into a <see cref="Spool"/>, behind what is on its way; when the client has caught up it goes straight again. So nothing is ever kept from a client that could take it, and a
/// quick client costs nothing.
/// </para>
/// <para>
/// Giving and taking may be on different threads. Who gives to the client ends, under the lock, when nothing is left; who takes from the application begins that anew. So one of them at a
/// time writes to the client.
/// </para>
/// </remarks>
/// <param name="exchange">The request and the answer.</param>
[SuppressMessage("Design", "CA1001", Justification = "What it has is given back at the end of each answer.")]
internal sealed class PacedAnswer(Exchange exchange)
{
    /// <summary>Bytes that are sent together, where they are there.</summary>
    public const int Piece = 64 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private PipeWriter _client = null!;
    private Buffering? _buffering;
    private TimeProvider _time = null!;
    private LoopSignal? _progress;
    private ITimer? _patience;
    private Spool? _spool;
    private Task _delivery = Task.CompletedTask;
    private int _unflushed;
    private bool _isLate;
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
    /// <param name="time">Clock of the client's pace.</param>
    public void Begin(Buffering? buffering, TimeProvider time)
    {
        _client = exchange.ResponseBody.Writer;
        (_buffering, _time) = (buffering, time);
        _unflushed = 0;
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

    /// <summary>Sends what was written if it is much, and waits until more may be written.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    public ValueTask FlushIfMuchAsync() => (_spool is { } spool ? spool.Room.IsEmpty : _unflushed >= Piece) ? FlushAsync() : ValueTask.CompletedTask;

    /// <summary>Sends what was written, and waits until more may be written.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FlushAsync()
    {
        if (_spool is null)
        {
            var flush = Flush();
            if (flush.IsCompleted || _buffering is null)
            {
                _isBroken = (await flush).IsCompleted;
                ThrowIfBroken();
                return;
            }

            BeginDelivery(flush);
            BeginPatience();
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
            var flush = Flush();
            if (!flush.IsCompleted && _buffering is not null)
            {
                BeginDelivery(flush);
                return;
            }

            _isBroken = (await flush).IsCompleted;
        }
        else if (!_isBroken && !_isDelivering && !_spool.IsEmpty)
        {
            BeginDelivery(default);
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
            _patience!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
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
            _patience ??= _time.CreateTimer(static answer => ((PacedAnswer)answer!).EndPatience(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _patience.Change(Patience, Timeout.InfiniteTimeSpan);
        }
    }

    private void EndPatience()
    {
        _isPatienceOver = true;
        _progress!.Signal();
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
            BeginDelivery(default);
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

    private void BeginDelivery(ValueTask<FlushResult> flush)
    {
        _progress ??= new LoopSignal(exchange.Transport.Loop);
        _isDelivering = true;
        _delivery = DeliverAsync(flush);
    }

    // Nothing but the end of the connection makes a flush fail, and nothing but the disk what is brought back.
    private async Task DeliverAsync(ValueTask<FlushResult> flush)
    {
        try
        {
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
