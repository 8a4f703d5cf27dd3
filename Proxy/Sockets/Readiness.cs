using System.Threading.Tasks.Sources;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>One direction of a socket: waits until it is ready again. Whoever waits continues on the thread that says so, which is the event loop's.</summary>
/// <remarks>
/// A word that is nothing, ready or awaited. Readiness that is said while nobody waits is kept, so whoever tried in vain just before meets it when it
/// begins to wait, and tries again. One waits at a time; any thread may say that it is ready.
/// </remarks>
internal sealed class Readiness : IValueTaskSource
{
    private const int Nothing = 0;
    private const int Ready = 1;
    private const int Awaited = 2;

    private ManualResetValueTaskSourceCore<bool> _core;
    private int _state;

    /// <summary>Waits until it is ready. It may be told so too early: whoever waited tries, and waits again.</summary>
    public ValueTask WaitAsync()
    {
        _core.Reset();
        var former = Interlocked.CompareExchange(ref _state, Awaited, Nothing);
        if (former == Nothing)
        {
            return new ValueTask(this, _core.Version);
        }

        Volatile.Write(ref _state, Nothing);
        return ValueTask.CompletedTask;
    }

    /// <summary>Says that it is ready.</summary>
    public void Signal()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Awaited when Interlocked.CompareExchange(ref _state, Nothing, Awaited) == Awaited:
                    _core.SetResult(true);
                    return;
                case Nothing when Interlocked.CompareExchange(ref _state, Ready, Nothing) == Nothing:
                case Ready:
                    return;
                default:
                    continue;
            }
        }
    }

    /// <inheritdoc/>
    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
