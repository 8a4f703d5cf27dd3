using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Counts the requests that a target has got while it stood by, and remembers that it wasn't reached.</summary>
/// <param name="time">The clock.</param>
internal sealed class StandbyVisits(TimeProvider time)
{
    private static readonly TimeSpan Absence = TimeSpan.FromSeconds(1);

    private long _previews;
    private long _canary;
    private long _sentBack;
    private long _awaySince;

    /// <summary>Whether it wasn't reached a moment ago: nobody is made to find it out anew.</summary>
    public bool IsAway => Volatile.Read(ref _awaySince) is not 0 and var since && time.GetElapsedTime(since) < Absence;

    /// <summary>Counts a request that ended there.</summary>
    public void Count(StandbyVisit visit) => Interlocked.Increment(ref visit == StandbyVisit.Preview ? ref _previews : ref _canary);

    /// <summary>Counts a request that goes to the active release instead.</summary>
    public void CountSentBack() => Interlocked.Increment(ref _sentBack);

    /// <summary>Notes that it wasn't reached.</summary>
    public void WasAway() => Volatile.Write(ref _awaySince, Math.Max(1, time.GetTimestamp()));

    /// <summary>The counts; absent: there are none.</summary>
    public StandbyTraffic? Report()
    {
        var traffic = new StandbyTraffic { Previews = Volatile.Read(ref _previews), Canary = Volatile.Read(ref _canary), SentBack = Volatile.Read(ref _sentBack) };
        return traffic is { Previews: 0, Canary: 0, SentBack: 0 } ? null : traffic;
    }
}
