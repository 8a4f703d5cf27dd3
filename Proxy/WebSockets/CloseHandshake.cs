namespace Wunderproxy.Proxy.WebSockets;

/// <summary>Who has begun to close a WebSocket: one of its sides, or the Proxy. Whoever is first, it stays so.</summary>
internal sealed class CloseHandshake
{
    private const int Nobody = 0;
    private const int Side = 1;
    private const int Proxy = 2;

    private int _begunBy;

    /// <summary>Whether the Proxy closes it: what is not sent yet is left out, and each side gets a Close of the Proxy's.</summary>
    public bool IsOurs => Volatile.Read(ref _begunBy) == Proxy;

    /// <summary>Begins to close it.</summary>
    /// <returns><see langword="false"/>: it is being closed already.</returns>
    public bool TryBegin() => Interlocked.CompareExchange(ref _begunBy, Proxy, Nobody) == Nobody;

    /// <summary>Lets the Close of a side pass; from then on the sides have it to themselves.</summary>
    /// <returns><see langword="false"/>: the Proxy closes it already.</returns>
    public bool TryLeaveToSides() => Interlocked.CompareExchange(ref _begunBy, Side, Nobody) != Proxy;
}
