namespace Wunderproxy.Proxy.Targets;

/// <summary>Counts the requests of one target and closes it for new ones, such that closing and claiming can't cross.</summary>
/// <remarks>
/// <para>
/// Everything is one 64-bit word: bit 63 says closed, bits 32 to 62 count streams, bits 0 to 31 count plain requests. All operations on
/// one word by interlocked instructions have one order that every thread agrees on. An increment that comes before the closing in that
/// order is counted when the closing happens, so the drain waits for it; one that comes after sees the closed bit in its own result,
/// takes its increment back and has claimed nothing. There is no third case. A thread that is just taking its increment back makes the
/// count too high for an instant, never too low: a drain may end an instant late, never early.
/// </para>
/// <para>Plain requests can't spill into the streams: a process has far fewer than 2^32 connections.</para>
/// </remarks>
internal sealed class ClaimCount
{
    private const long Closed = long.MinValue;
    private const long OnePlain = 1;
    private const long OneStream = 1L << 32;

    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _word;

    /// <summary>Plain requests that have begun and not ended.</summary>
    public long InFlight => Volatile.Read(ref _word) & uint.MaxValue;

    /// <summary>Streams that have begun and not ended.</summary>
    public long Streams => (Volatile.Read(ref _word) & ~Closed) >> 32;

    /// <summary>Ends once it is closed and the last request has left; nothing enters after that.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Counts a plain request in.</summary>
    /// <returns><see langword="false"/> if it is closed: nothing was counted.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Add(ref _word, OnePlain) >= 0)
        {
            return true;
        }

        Leave(OnePlain);
        return false;
    }

    /// <summary>Counts a request that has entered as a stream from now on.</summary>
    public void BecomeStream() => Interlocked.Add(ref _word, OneStream - OnePlain);

    /// <summary>Counts a plain request out.</summary>
    public void LeavePlain() => Leave(OnePlain);

    /// <summary>Counts a stream out.</summary>
    public void LeaveStream() => Leave(OneStream);

    /// <summary>Lets nothing in any more. Doing it again changes nothing.</summary>
    public void Close()
    {
        if ((Interlocked.Or(ref _word, Closed) | Closed) == Closed)
        {
            _drained.TrySetResult();
        }
    }

    private void Leave(long one)
    {
        if (Interlocked.Add(ref _word, -one) == Closed)
        {
            _drained.TrySetResult();
        }
    }
}
