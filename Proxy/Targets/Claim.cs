using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Targets;

/// <summary>One request's hold on a target: while it exists, the target isn't drained.</summary>
internal sealed class Claim : IDisposable
{
    private readonly Upstream _upstream;
    private readonly CancellationTokenRegistration _plainCutoff;
    private CancellationTokenRegistration _streamCutoff;
    private string _rawTarget = "";
    private Ending _cut;
    private IAnswered? _client;
    private Places? _place;
    private bool _isOver;
    private volatile bool _staysOpen;

    /// <summary>Made by <see cref="Upstream.TryClaim"/> only, after the request was counted in.</summary>
    public Claim(Upstream upstream)
    {
        _upstream = upstream;
        _plainCutoff = upstream.PlainCutoff.UnsafeRegister(static claim => ((Claim)claim!).EndPlain(), this);
    }

    /// <summary>The target that the request begins and ends on.</summary>
    public Upstream Upstream => _upstream;

    /// <summary>What the request asks for, as it was sent, but for its query; cut short if it is long.</summary>
    public string Path => RequestPlace.PathOf(_rawTarget, DrainingRequest.MaxPathLength);

    /// <summary>Timestamp of the request's beginning.</summary>
    public long Began { get; private set; }

    /// <summary>What the request is, as far as is known by now.</summary>
    public RequestKind Kind { get; private set; }

    /// <summary>Whether the request is an upgraded connection or an answer that stays open.</summary>
    public bool IsStream => Kind != RequestKind.Plain;

    /// <summary>
    /// Whether the request may be one that stays open: it says so itself, or its answer has begun and doesn't say how long it is. It becomes a stream if it is
    /// still there when the time of plain requests is over.
    /// </summary>
    public bool StaysOpen
    {
        get => _staysOpen;
        set => _staysOpen = value;
    }

    /// <summary>Whether the target was replaced and the time of its requests is over.</summary>
    public bool IsCut => _cut.IsOver;

    /// <summary>Cancelled when <see cref="IsCut"/> becomes true.</summary>
    public CancellationToken Cut => _cut.Token;

    /// <summary>Takes over the place that the request has on its target, and gives it back when the request ends or becomes a stream.</summary>
    public void Keep(Places place) => _place = place;

    /// <summary>Says which request it is, before anybody else gets to know of it.</summary>
    /// <param name="rawTarget">What it asks for.</param>
    /// <param name="began">Timestamp of its beginning.</param>
    public void Describe(string rawTarget, long began) => (_rawTarget, Began) = (rawTarget, began);

    /// <summary>Aborts a connection when <see cref="IsCut"/> becomes true, or at once if it is.</summary>
    /// <param name="connection">The connection; absent: none any more.</param>
    public void EndsToo(LoopSocket? connection) => _cut.EndsToo(connection);

    /// <summary>
    /// Breaks the client's answer off as well when <see cref="IsCut"/> becomes true, or at once if it is: for answers that have begun. Whoever writes to a
    /// client that doesn't read would wait for it otherwise.
    /// </summary>
    public void BreaksOff(IAnswered client)
    {
        Volatile.Write(ref _client, client);
        Interlocked.MemoryBarrier();
        if (IsCut)
        {
            client.BreakOff();
        }
    }

    /// <summary>Counts the request as a stream from now on; the limit of streams applies to it.</summary>
    /// <param name="kind">Which kind of stream.</param>
    public void BecomeStream(RequestKind kind)
    {
        // Waits for the end of plain requests if that is just happening: it may make the request a stream itself.
        _plainCutoff.Dispose();
        if (!IsStream)
        {
            EnterStreams();
        }

        Kind = kind;
    }

    /// <summary>Ends the hold. Doing it again changes nothing.</summary>
    public void Dispose()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;

        // Each waits for a cut that is just happening, so that it never meets a disposed source.
        _plainCutoff.Dispose();
        _streamCutoff.Dispose();
        _cut.Dispose();
        if (IsStream)
        {
            _upstream.Count.LeaveStream();
        }
        else
        {
            _upstream.Count.LeavePlain();
        }

        LeavePlace();
    }

    private void EndPlain()
    {
        if (StaysOpen)
        {
            EnterStreams();
        }
        else
        {
            BeCut();
        }
    }

    private void EnterStreams()
    {
        Kind = RequestKind.Stream;
        _upstream.Count.BecomeStream();
        LeavePlace();
        _streamCutoff = _upstream.StreamCutoff.UnsafeRegister(static claim => ((Claim)claim!).BeCut(), this);
    }

    private void LeavePlace()
    {
        _place?.Leave();
        _place = null;
    }

    private void BeCut()
    {
        _cut.End();
        if (Volatile.Read(ref _client) is { } client)
        {
            client.BreakOff();
        }
    }
}
