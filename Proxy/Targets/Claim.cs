using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>One request's hold on a target: while it exists, the target isn't drained.</summary>
internal sealed class Claim : IDisposable
{
    private readonly Upstream _upstream;
    private CancellationTokenRegistration _cutoff;
    private CancellationTokenSource? _cut;
    private LoopSocket? _connection;
    private volatile bool _isCut;

    /// <summary>Made by <see cref="Upstream.TryClaim"/> only, after the request was counted in.</summary>
    public Claim(Upstream upstream)
    {
        _upstream = upstream;
        _cutoff = RegisterCut(upstream.PlainCutoff);
    }

    /// <summary>The target that the request begins and ends on.</summary>
    public Upstream Upstream => _upstream;

    /// <summary>Whether the target was replaced and the time of its requests is over.</summary>
    public bool IsCut => _isCut;

    /// <summary>Cancelled when <see cref="IsCut"/> becomes true.</summary>
    public CancellationToken Cut
    {
        get
        {
            if (_cut is null)
            {
                _cut = new CancellationTokenSource();
                Interlocked.MemoryBarrier();
                if (_isCut)
                {
                    _cut.Cancel();
                }
            }

            return _cut.Token;
        }
    }

    /// <summary>Aborts a connection when <see cref="IsCut"/> becomes true, or at once if it is.</summary>
    /// <param name="connection">The connection; absent: none any more.</param>
    public void EndsToo(LoopSocket? connection)
    {
        Volatile.Write(ref _connection, connection);
        Interlocked.MemoryBarrier();
        if (_isCut)
        {
            connection?.Abort();
        }
    }

    /// <summary>Whether the request is an upgraded connection or an endless answer.</summary>
    public bool IsStream { get; private set; }

    /// <summary>Counts the request as a stream from now on; the limit of streams applies to it.</summary>
    public void BecomeStream()
    {
        if (IsStream)
        {
            return;
        }

        IsStream = true;
        _upstream.Count.BecomeStream();
        _cutoff.Dispose();
        _cutoff = RegisterCut(_upstream.StreamCutoff);
    }

    /// <summary>Ends the hold.</summary>
    public void Dispose()
    {
        // Waits for a cut that is just happening, so that it never meets a disposed source.
        _cutoff.Dispose();
        _cut?.Dispose();
        if (IsStream)
        {
            _upstream.Count.LeaveStream();
        }
        else
        {
            _upstream.Count.LeavePlain();
        }
    }

    private CancellationTokenRegistration RegisterCut(CancellationToken cutoff) =>
        cutoff.UnsafeRegister(static claim => ((Claim)claim!).BeCut(), this);

    private void BeCut()
    {
        _isCut = true;
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _connection)?.Abort();
        _cut?.Cancel();
    }
}
