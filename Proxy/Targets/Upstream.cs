using System.Diagnostics.CodeAnalysis;
using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Http2;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>One turn of a target as the active one, and before as the one that stands by: its requests, its connections, its traffic, and its drain once it is replaced.</summary>
/// <remarks>
/// A target that becomes active again gets a new turn, with connections of its own. Requests of its former turns aren't cut any more: at one address there is one
/// container, so what still runs there runs on the one that serves now. Be it that traffic came back to it, or that it was started again, or made anew, at the same
/// address, where requests reached it before its start was known here.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "It disposes its connections itself, when its last request has ended; of a source without a timer nothing is left.")]
internal sealed class Upstream
{
    private readonly CancellationTokenSource _plainCutoff;
    private readonly CancellationTokenSource _streamCutoff;
    private readonly IReadOnlyList<Upstream> _former;
    private bool _servesAgain;
    private DateTimeOffset? _plainDeadline;
    private DateTimeOffset? _streamDeadline;

    /// <param name="target">The target.</param>
    /// <param name="time">Clock of the drain limits.</param>
    /// <param name="queue">Where its requests wait for a place.</param>
    /// <param name="former">Turns at the same address that aren't drained: from now on they share the drain limits of this one.</param>
    public Upstream(Target target, TimeProvider time, RequestQueue queue, IReadOnlyList<Upstream> former)
    {
        Target = target;
        Pool = new ConnectionPool(IPEndPoint.Parse(target.Address), time);
        Http2 = target.Protocol == ApplicationProtocol.H2c ? new Http2Connections(Pool.Address, time) : null;
        Traffic = new TrafficRecorder(time);
        Visits = new StandbyVisits(time);
        WebSockets = new OpenWebSockets(time);
        Places = new Places(queue);
        Time = time;
        _plainCutoff = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _streamCutoff = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        PlainCutoff = _plainCutoff.Token;
        StreamCutoff = _streamCutoff.Token;
        _former = former;
        foreach (var turn in former)
        {
            turn._servesAgain = true;
            turn.Limit(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The target.</summary>
    public Target Target { get; }

    /// <summary>Connections to it.</summary>
    public ConnectionPool Pool { get; }

    /// <summary>Connections of HTTP/2 to it; absent: it speaks HTTP/1.1.</summary>
    public Http2Connections? Http2 { get; }

    /// <summary>What applies to its requests.</summary>
    public Limits Limits => Pool.Limits;

    /// <summary>WebSockets that are open on it.</summary>
    public OpenWebSockets WebSockets { get; }

    /// <summary>Clock of its limits.</summary>
    public TimeProvider Time { get; }

    /// <summary>What it has served in this turn.</summary>
    public TrafficRecorder Traffic { get; }

    /// <summary>What of it came while it stood by.</summary>
    public StandbyVisits Visits { get; }

    /// <summary>The places that its requests take, where they may not be as many as like.</summary>
    public Places Places { get; }

    /// <summary>Its requests.</summary>
    public ClaimCount Count { get; } = new();

    /// <summary>Cancelled when plain requests have had their time.</summary>
    public CancellationToken PlainCutoff { get; }

    /// <summary>Cancelled when streams have had their time.</summary>
    public CancellationToken StreamCutoff { get; }

    /// <summary>Since when traffic goes to it; absent: it stands by, or stood by only.</summary>
    public DateTimeOffset? ActiveSince { get; set; }

    /// <summary>Since when it is replaced; absent: it is active.</summary>
    public DateTimeOffset? DrainingSince { get; private set; }

    /// <summary>Whether requests that will be cut may still run on it.</summary>
    public bool IsDraining => DrainingSince is not null && _streamDeadline is not null && !Count.Drained.IsCompleted;

    /// <summary>Takes hold of it for one request.</summary>
    /// <returns><see langword="false"/> if it was replaced: the request belongs to its successor.</returns>
    public bool TryClaim([NotNullWhen(true)] out Claim? claim)
    {
        claim = Count.TryEnter() ? new Claim(this) : null;
        return claim is not null;
    }

    /// <summary>
    /// Begins its drain: no request begins on it any more, and no connection waits for one; those that run have until the limits. Called once its successor is
    /// in place.
    /// </summary>
    /// <param name="plainLimit">Until plain requests are cut; zero cuts them at once.</param>
    /// <param name="streamLimit">Until streams are cut.</param>
    public void Drain(TimeSpan plainLimit, TimeSpan streamLimit)
    {
        DrainingSince = Time.GetUtcNow();
        Count.Close();
        Pool.CloseIdle();
        if (!_servesAgain)
        {
            Limit(plainLimit, streamLimit);
        }

        _ = ReleaseOnceDrainedAsync();
    }

    /// <summary>Gives what runs on it other limits, counted from now; what was cut already is gone.</summary>
    /// <param name="plainLimit">Until plain requests are cut; absent: as before; infinite: they aren't.</param>
    /// <param name="streamLimit">Until streams are cut.</param>
    public void Limit(TimeSpan? plainLimit, TimeSpan? streamLimit)
    {
        if (plainLimit is { } plain)
        {
            _plainDeadline = DeadlineOf(plain);
            _plainCutoff.CancelAfter(plain);
        }

        if (streamLimit is { } stream)
        {
            _streamDeadline = DeadlineOf(stream);
            _streamCutoff.CancelAfter(stream);
            WebSockets.EndWithin(stream);
        }

        foreach (var turn in _former)
        {
            turn.Limit(plainLimit, streamLimit);
        }
    }

    /// <summary>What it is doing now.</summary>
    /// <param name="running">Claims of requests that run, on whichever target.</param>
    /// <param name="slowAfter">From when on a request counts as slow; absent: none does.</param>
    public TargetTraffic Report(IReadOnlyList<Claim> running, TimeSpan? slowAfter) => new()
    {
        Target = Target,
        DrainingSince = DrainingSince,
        Deadline = IsDraining ? Later(_plainDeadline, _streamDeadline) : null,
        Drain = DrainingSince is null || Count.Drained.IsCompleted ? null : ReportDrain([.. running.Where(claim => claim.Upstream == this)]),
        InFlight = Count.InFlight,
        Streams = Count.Streams,
        Traffic = Traffic.Report(slowAfter),
        Standby = Visits.Report(),
    };

    private TargetDrain ReportDrain(IReadOnlyList<Claim> running) => new()
    {
        PlainDeadline = _plainDeadline,
        StreamDeadline = _streamDeadline,
        ByKind = running.GroupBy(claim => claim.Kind).ToDictionary(kind => kind.Key, kind => kind.LongCount()),
        Oldest = [.. running.OrderBy(claim => claim.Began).Take(TargetDrain.MaxListed).Select(ReportRequest)],
    };

    private DrainingRequest ReportRequest(Claim claim) => new()
    {
        Kind = claim.Kind,
        AgeSeconds = Time.GetElapsedTime(claim.Began).TotalSeconds,
        Path = claim.Path,
        Deadline = claim.IsStream ? _streamDeadline : _plainDeadline,
    };

    private DateTimeOffset? DeadlineOf(TimeSpan limit) => limit == Timeout.InfiniteTimeSpan ? null : Time.GetUtcNow() + limit;

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one > other ? one : other;

    private async Task ReleaseOnceDrainedAsync()
    {
        await Count.Drained;
        Pool.Dispose();
        Http2?.Dispose();
        _plainCutoff.CancelAfter(Timeout.InfiniteTimeSpan);
        _streamCutoff.CancelAfter(Timeout.InfiniteTimeSpan);
    }
}
