namespace Wunderproxy.Proxy.Peers;

/// <summary>How many requests may go to other hosts: a share of those that come here, and so many at once.</summary>
/// <param name="share">Percent.</param>
/// <param name="maxInFlight">At once.</param>
internal sealed class PeerBudget(int share, int maxInFlight)
{
    // A host with little traffic has something to begin with, and none saves up more than this.
    private const long Most = 100 * 100;

    private long _credit = Most;
    private long _inFlight;
    private long _refused;

    /// <summary>Requests that were over it.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Counts a request that has failed here, or has no release: each adds its share.</summary>
    /// <returns>Whether it may go to another host; if so, <see cref="Leave"/> follows.</returns>
    public bool TryEnter()
    {
        var isCheap = Interlocked.Increment(ref _inFlight) <= maxInFlight;
        if (isCheap && TrySpend())
        {
            return true;
        }

        Leave();
        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>Counts out a request that went there.</summary>
    public void Leave() => Interlocked.Decrement(ref _inFlight);

    private bool TrySpend()
    {
        while (true)
        {
            var credit = Volatile.Read(ref _credit);
            var earned = Math.Min(Most, credit + share);
            var left = earned >= 100 ? earned - 100 : earned;
            if (Interlocked.CompareExchange(ref _credit, left, credit) == credit)
            {
                return earned >= 100;
            }
        }
    }
}
