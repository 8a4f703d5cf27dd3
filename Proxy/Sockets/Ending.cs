namespace Wunderproxy.Proxy.Sockets;

/// <summary>Something that ends once: a connection that is to end with it is aborted then, and a token is cancelled, which is made for whoever asks for it only.</summary>
/// <remarks>
/// A part of what ends, not to be copied. It may end on any thread, at the moment in which a connection or a token is added: each side writes what it has before it reads
/// what the other one has, so one of the two sees both.
/// </remarks>
internal struct Ending : IDisposable
{
    private LoopSocket? _follower;
    private CancellationTokenSource? _source;
    private int _isOver;

    /// <summary>Whether it has ended.</summary>
    public readonly bool IsOver => Volatile.Read(in _isOver) == 1;

    /// <summary>Cancelled when it ends. One caller at a time may ask for it.</summary>
    public CancellationToken Token => (_source ?? Begin()).Token;

    /// <summary>Aborts a connection when it ends, or at once if it has.</summary>
    /// <param name="follower">The connection; absent: none any more.</param>
    public void EndsToo(LoopSocket? follower)
    {
        Volatile.Write(ref _follower, follower);
        Interlocked.MemoryBarrier();
        if (IsOver)
        {
            follower?.Abort();
        }
    }

    /// <summary>Ends it, unless it has.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0)
        {
            Volatile.Read(ref _follower)?.Abort();
            Volatile.Read(ref _source)?.Cancel();
        }
    }

    /// <inheritdoc/>
    public readonly void Dispose() => _source?.Dispose();

    private CancellationTokenSource Begin()
    {
        var source = new CancellationTokenSource();
        Volatile.Write(ref _source, source);
        Interlocked.MemoryBarrier();
        if (IsOver)
        {
            source.Cancel();
        }

        return source;
    }
}
