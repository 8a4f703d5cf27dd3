using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Previews;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>One request and its answer. Kept and used again for the next request of the same connection.</summary>
/// <param name="rules">What the options say about every request.</param>
/// <param name="ids">Names the requests that have no name yet.</param>
/// <param name="buffers">What is kept for slow clients.</param>
/// <param name="time">The clock.</param>
[SuppressMessage("Design", "CA1001", Justification = "What it has is given back at the end of each request.")]
internal sealed class Exchange(ForwardingRules rules, RequestIds ids, BufferStore buffers, TimeProvider time) : IAnswered, IClaimant
{
    // Less is collected here more cheaply.
    private const int LeastRest = 64 << 10;

    private readonly DefaultHttpContext _context = new();
    private readonly ResponseBody _responseBody = new();
    private Relay? _relay;
    private CancellationTokenRegistration _following;
    private string? _hsts;
    private string? _cookiePath;
    private bool _avoidsStandby;
    private RequestId _id;
    private long? _givenAt;
    private long? _headAt;
    private long? _allAt;

    /// <summary>The request and the answer.</summary>
    public HttpContext Context => _context;

    /// <summary>The answer's body.</summary>
    public ResponseBody ResponseBody => _responseBody;

    /// <summary>What the options say about every request.</summary>
    public ForwardingRules Rules => rules;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>How the application was served when the request last looked; absent: it belongs to none, or hasn't looked yet.</summary>
    public Serving? Serving { get; set; }

    /// <summary>Why it goes to a release that stands by, as it was decided last.</summary>
    public StandbyVisit Visit { get; private set; }

    /// <summary>Whether it was sent to another host.</summary>
    public bool WentToOtherHost { get; set; }

    /// <summary>The mark that it gets on the way to another host; absent: it stays here.</summary>
    public string? PeerMark { get; set; }

    /// <summary>The cookie that tells its client from others, where it got a new one; absent: it has its own, or needs none.</summary>
    public string? GivenCookie { get; private set; }

    /// <summary>How long its target took for the head of the answer; absent: there was none, or nobody wants to know.</summary>
    public TimeSpan? UpstreamHead => _headAt is { } head ? time.GetElapsedTime(_givenAt!.Value, head) : null;

    /// <summary>How long its target has had to do with it; absent: none was given it, or nobody wants to know.</summary>
    public TimeSpan? Upstream => _givenAt is { } given ? time.GetElapsedTime(given, _allAt ?? time.GetTimestamp()) : null;

    /// <summary>The request's name: what a trusted proxy calls it, else one that is made here.</summary>
    public RequestId Id => _id.IsSet ? _id : _id = NameRequest();

    /// <summary>When the request arrived.</summary>
    public DateTimeOffset ArrivedAt => time.GetUtcNow() - time.GetElapsedTime(Began);

    /// <summary>What is kept for slow clients.</summary>
    public BufferStore Buffers => buffers;

    /// <summary>The request's body, where it was collected before the request was sent; absent: it is read as it comes.</summary>
    public CollectedBody? Collected { get; private set; }

    /// <summary>The request's body, collected or as it comes.</summary>
    public PipeReader Body => Collected ?? _context.Request.BodyReader;

    /// <summary>Whether the request may have a body.</summary>
    public bool HasBody { get; private set; }

    /// <summary>Whether something of the answer is still on its way to the client, though the application has given all of it.</summary>
    public bool HasRest => _relay is { HasRest: true };

    /// <summary>Timestamp of the request's beginning.</summary>
    public long Began { get; private set; }

    /// <summary>Bytes of the request's body that were passed on.</summary>
    public long BytesIn { get; set; }

    /// <summary>Whether the request may be sent again where no byte of an answer has come.</summary>
    public bool IsRepeatable { get; set; }

    /// <summary>How often it was sent without a byte of an answer.</summary>
    public int Unanswered { get; set; }

    /// <summary>Whether it was tried before.</summary>
    public bool IsRepeated { get; set; }

    /// <summary>Timestamp of when it began to wait for its application; absent: it hasn't waited.</summary>
    public long? HeldSince { get; set; }

    /// <summary>Timestamp of when it began to wait for a place on its target; absent: it hasn't waited.</summary>
    public long? QueuedSince { get; set; }

    /// <summary>The place that it was given after a wait, and that has to be given back.</summary>
    public Places? Turn { get; set; }

    /// <summary>What the application doesn't see at the beginning of the path; absent: it sees all.</summary>
    public string? StrippedPrefix { get; set; }

    /// <summary>The scheme that the client used, in lower-case letters: as a trusted proxy in front says, else as it is connected here.</summary>
    public string Scheme => ForwardedHeaders.SchemeOf(_context.Request, Peer);

    /// <summary>Whether the request's body was followed by trailers that can't be sent on.</summary>
    public bool HasInvalidTrailers { get; set; }

    /// <summary>What the Proxy has answered itself; absent: nothing, or it isn't a problem. To clients of gRPC the status of HTTP doesn't say it.</summary>
    public Problem? Problem { get; set; }

    /// <summary>Whether other requests run beside it on the client's connection, as in HTTP/2: then it ends for itself, and its connection goes on.</summary>
    public bool IsMultiplexed { get; private set; }

    /// <summary>Whether the client speaks TLS with the Proxy.</summary>
    public bool IsSecure { get; private set; }

    /// <summary>Whether the client was asked for a certificate.</summary>
    public bool IsAskedForCertificate { get; private set; }

    /// <summary>What looks at the request lines of the client's connection; absent: there are none, in HTTP/2.</summary>
    public RequestLineGuard? LineGuard { get; private set; }

    /// <summary>The client's connection.</summary>
    public ClientTransport Transport { get; private set; } = null!;

    /// <summary>Who sent the request.</summary>
    public Peer Peer { get; private set; } = null!;

    /// <summary>What the client's connection is doing.</summary>
    public ClientConnection Client { get; private set; } = null!;

    /// <summary>Whether the client has left, or has given this request up.</summary>
    public bool IsClientGone => Transport.IsClosed || (IsMultiplexed && _context.RequestAborted.IsCancellationRequested);

    /// <summary>Carries the request over to the application.</summary>
    public Relay Relay => _relay ??= new Relay(this);

    /// <summary>Begins the next exchange.</summary>
    /// <param name="features">The server's view of the request.</param>
    public void Begin(IFeatureCollection features)
    {
        Began = time.GetTimestamp();
        _id = default;
        (_givenAt, _headAt, _allAt) = (null, null, null);
        BytesIn = 0;
        HasInvalidTrailers = false;
        IsRepeated = false;
        Unanswered = 0;
        HeldSince = null;
        QueuedSince = null;
        _hsts = null;
        Problem = null;
        Visit = StandbyVisit.None;
        _avoidsStandby = false;
        GivenCookie = null;
        WentToOtherHost = false;
        PeerMark = null;
        if (Transport is null)
        {
            Transport = features.GetRequiredFeature<ClientTransport>();
            Peer = features.GetRequiredFeature<Peer>();
            Client = features.GetRequiredFeature<ClientConnection>();
            LineGuard = features.Get<RequestLineGuard>();
            IsSecure = features.Get<ITlsConnectionFeature>() is not null;
            IsAskedForCertificate = features.Get<ClientIdentity>() is { WasAsked: true };
            IsMultiplexed = HttpProtocol.IsHttp2(features.GetRequiredFeature<IHttpRequestFeature>().Protocol);
        }

        HasBody = features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody;
        _responseBody.Begin(features.GetRequiredFeature<IHttpResponseBodyFeature>());
        features.Set<IHttpResponseBodyFeature>(_responseBody);
        _context.Initialize(features);
        LineGuard?.HeadEnded(_context.Request.Headers);
    }

    /// <summary>Makes the answer say that the host is to be asked over TLS only, if the application wants it, and doesn't say so itself.</summary>
    public void SayHsts(Serving serving)
    {
        if (serving.Hsts is not null && IsSecure && _hsts is null)
        {
            _context.Response.OnStarting(static exchange => ((Exchange)exchange).AddHsts(), this);
        }

        _hsts = serving.Hsts;
    }

    /// <inheritdoc/>
    public bool Visits(ServedStandby standby, Serving serving)
    {
        // Who looks after the application's health asks about the active release. While maintenance is up, those may see the next one who are to say whether it is well.
        Visit = _avoidsStandby ? StandbyVisit.None : standby.VisitOf(this, isShared: serving.Maintenance is null && !serving.IsHealthCheck(RequestChecks.PlaceOf(_context)));
        return Visit != StandbyVisit.None;
    }

    /// <summary>Lets it go to the active release in any case: the one that stands by didn't answer it, or has no place.</summary>
    public void AvoidStandby() => (_avoidsStandby, Visit) = (true, StandbyVisit.None);

    /// <summary>Notes that no release stands by any more.</summary>
    public void FoundNoStandby() => Visit = StandbyVisit.None;

    /// <summary>Gives its client a cookie with the answer.</summary>
    /// <param name="value">The cookie.</param>
    /// <param name="path">Where it is sent back.</param>
    public void GiveCookie(string value, string path) => (GivenCookie, _cookiePath) = (value, path);

    /// <summary>Makes the answer, which must not have begun, name the release to who sees it before the switch, and give a client the cookie that tells it from others.</summary>
    public void SayStandby()
    {
        if (Visit == StandbyVisit.Preview)
        {
            _context.Response.Headers[Preview.Header] = Serving?.Standby?.Settings.Target.Release;
        }

        if (GivenCookie is not null)
        {
            var cookie = $"{CanaryShare.Cookie}={GivenCookie}; Path={_cookiePath}; HttpOnly; SameSite=Lax{(Scheme == "https" ? "; Secure" : "")}";
            ClientAnswer.Append(_context.Response.Headers, HeaderNames.SetCookie, cookie);
        }
    }

    /// <summary>Aborts a connection when the client leaves or gives this request up, or at once if it has.</summary>
    /// <param name="follower">The connection; absent: none any more.</param>
    public void EndsToo(LoopSocket? follower)
    {
        if (!IsMultiplexed)
        {
            Transport.EndsToo(follower);
            return;
        }

        // Waits for an abort that is just happening, so that it never meets a connection that was given back.
        _following.Dispose();
        _following = follower is null ? default : _context.RequestAborted.UnsafeRegister(static connection => ((LoopSocket)connection!).Abort(), follower);
    }

    /// <inheritdoc/>
    public void BreakOff()
    {
        if (IsMultiplexed)
        {
            _context.Abort();
        }
        else
        {
            Transport.Abort(new ConnectionAbortedException("The release that answers was replaced, and its time is over."));
        }
    }

    /// <summary>Notes that the request is given to a target.</summary>
    public void Given()
    {
        if (rules.TimesTargets)
        {
            (_givenAt, _headAt) = (time.GetTimestamp(), null);
        }
    }

    /// <summary>Notes that the head of the target's answer is there.</summary>
    public void Answered()
    {
        if (rules.TimesTargets)
        {
            _headAt = time.GetTimestamp();
        }
    }

    /// <summary>Notes that the target has given all of its answer, though the client hasn't taken it yet.</summary>
    public void GaveAll()
    {
        if (rules.TimesTargets)
        {
            _allAt = time.GetTimestamp();
        }
    }

    /// <summary>Lets the answer name its request, if the options say so. The answer must not have begun.</summary>
    public void NameAnswer()
    {
        if (rules.AnswersWithId)
        {
            _context.Response.Headers[RequestId.Header] = Id.ToString();
        }
    }

    /// <summary>Collects the request's body, unless all of it is there already. The client is told to go on if it waits for that.</summary>
    /// <param name="buffering">How much may be kept.</param>
    /// <param name="maxBytes">Bytes that the body may have; absent: any.</param>
    /// <returns><see langword="false"/>: it is longer than it may be.</returns>
    /// <exception cref="IOException">The client left, or sends what is no body.</exception>
    public ValueTask<bool> TryCollectAsync(Buffering buffering, long? maxBytes)
    {
        var body = _context.Request.BodyReader;
        if (body.TryRead(out var read))
        {
            var isTooLong = read.Buffer.Length > maxBytes;
            body.AdvanceTo(read.Buffer.Start);
            if (read.IsCompleted)
            {
                return new ValueTask<bool>(!isTooLong);
            }
        }

        var length = _context.Request.ContentLength;
        var rest = length - Transport.PlainInput?.Received.Count;
        return !IsMultiplexed && rest is >= LeastRest and <= ArrivingBody.Most && !(length > maxBytes) && _context.Request.Headers.Expect.Count == 0
            ? TryCollectQuicklyAsync((int)rest, buffering, maxBytes)
            : CollectHereAsync(buffering, maxBytes);
    }

    private async ValueTask<bool> TryCollectQuicklyAsync(int rest, Buffering buffering, long? maxBytes) =>
        await new ArrivingBody(Transport, rest).TryWaitAsync(buffers) || await CollectHereAsync(buffering, maxBytes);

    private ValueTask<bool> CollectHereAsync(Buffering buffering, long? maxBytes)
    {
        Collected = new CollectedBody(_context.Request.BodyReader, _context.Request.ContentLength, buffers, buffering, Transport.Loop);
        return Collected.TryCollectAsync(maxBytes, time);
    }

    /// <summary>Sets the words behind the answer's status.</summary>
    /// <param name="reason">Absent: the usual ones.</param>
    public void SetReason(string? reason) => _context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = reason;

    /// <summary>Takes a place on a target for the request: the one that it was given, else one that is free.</summary>
    /// <returns><see langword="false"/> if there is none.</returns>
    public bool TryTakePlace(Claim claim)
    {
        var places = claim.Upstream.Places;
        if (Turn == places)
        {
            Turn = null;
        }
        else
        {
            LeavePlace();
            if (!places.TryTake())
            {
                return false;
            }
        }

        claim.Keep(places);
        return true;
    }

    /// <summary>Gives back the place that it was given, where it has no use for it.</summary>
    public void LeavePlace()
    {
        Turn?.Leave();
        Turn = null;
    }

    private Task AddHsts()
    {
        var headers = _context.Response.Headers;
        if (headers.StrictTransportSecurity.Count == 0)
        {
            headers.StrictTransportSecurity = _hsts;
        }

        return Task.CompletedTask;
    }

    /// <summary>Lets go of the request.</summary>
    public void End()
    {
        LeavePlace();
        _relay?.Dispose();
        Serving = null;
        Collected?.Complete();
        Collected = null;
        _context.Uninitialize();
    }

    private RequestId NameRequest() =>
        Peer.IsTrusted && _context.Request.Headers[RequestId.Header] is [{ } given] && RequestId.IsSane(given) ? new RequestId(given) : ids.Next();
}
