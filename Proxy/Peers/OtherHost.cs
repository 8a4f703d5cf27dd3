using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Peers;

/// <summary>Another host, as a target that is always there.</summary>
internal sealed class OtherHost
{
    private readonly long[] _answered = new long[Enum.GetValues<PeerReason>().Length];
    private long _failed;

    /// <param name="address">Its Proxy.</param>
    /// <param name="timeout">How long it has for the head of an answer.</param>
    /// <param name="time">The clock.</param>
    public OtherHost(IPEndPoint address, TimeSpan timeout, TimeProvider time)
    {
        var target = new Target { Release = "", Revision = "another host", ContainerId = "", StartedAt = default, Address = address.ToString(), Probe = new HealthProbe() };
        Upstream = new Upstream(target, time, new RequestQueue(time), []);
        Upstream.Pool.Limits = new Limits { AnswerTimeout = timeout };
    }

    /// <summary>Its target.</summary>
    public Upstream Upstream { get; }

    /// <summary>Whether it didn't answer a moment ago.</summary>
    public bool IsAway => Upstream.Visits.IsAway;

    /// <summary>Counts a request that it has answered.</summary>
    public void CountAnswered(PeerReason reason) => Interlocked.Increment(ref _answered[(int)reason]);

    /// <summary>Counts a request that it hasn't answered.</summary>
    public void CountFailed()
    {
        Interlocked.Increment(ref _failed);
        Upstream.Visits.WasAway();
    }

    /// <summary>What it has got.</summary>
    public PeerTraffic Report() => new()
    {
        Address = Upstream.Target.Address,
        Answered = Enum.GetValues<PeerReason>().ToDictionary(reason => reason, reason => Volatile.Read(ref _answered[(int)reason])),
        Failed = Volatile.Read(ref _failed),
        InFlight = Upstream.Count.InFlight + Upstream.Count.Streams,
    };
}
