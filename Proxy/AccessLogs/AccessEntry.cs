using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>What the access log says about one request. Queries are left out, of what was asked for and of where the client comes from: they often hold secrets.</summary>
internal readonly ref struct AccessEntry
{
    /// <summary>When the request had ended.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The request's name.</summary>
    public RequestId Id { get; init; }

    /// <summary>Address of the client; empty where it is a Unix socket's.</summary>
    public ReadOnlySpan<char> Client { get; init; }

    /// <summary>The method.</summary>
    public ReadOnlySpan<char> Method { get; init; }

    /// <summary>The host that was asked for; may be empty.</summary>
    public ReadOnlySpan<char> Host { get; init; }

    /// <summary>The target as it was sent, without its query.</summary>
    public ReadOnlySpan<char> Path { get; init; }

    /// <summary>Such as <c>HTTP/1.1</c>.</summary>
    public ReadOnlySpan<char> Protocol { get; init; }

    /// <summary>Where the client says that it comes from, without a query; may be empty.</summary>
    public ReadOnlySpan<char> Referer { get; init; }

    /// <summary>What the client says that it is; may be empty.</summary>
    public ReadOnlySpan<char> UserAgent { get; init; }

    /// <summary>Status of the answer; 499: the client left before one began.</summary>
    public int Status { get; init; }

    /// <summary>Bytes of the request's body that were passed on.</summary>
    public long BytesIn { get; init; }

    /// <summary>Bytes of the answer's body.</summary>
    public long BytesOut { get; init; }

    /// <summary>From the request's head to the end of its answer.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>From when the request was given to its target to the head of the target's answer; absent: there was none.</summary>
    public TimeSpan? UpstreamHead { get; init; }

    /// <summary>From when the request was given to its target until the target had given all of its answer; absent: it was given to none.</summary>
    public TimeSpan? Upstream { get; init; }

    /// <summary>The application; empty: the request belongs to none.</summary>
    public ReadOnlySpan<char> Application { get; init; }

    /// <summary>The release that the request was given to last; empty: it was given to none.</summary>
    public ReadOnlySpan<char> Revision { get; init; }

    /// <summary>An entry for a request that has just ended.</summary>
    /// <param name="exchange">The request and its answer.</param>
    /// <param name="status">What is counted as its status.</param>
    /// <param name="duration">What is counted as its duration.</param>
    /// <param name="claim">The last hold that it had on a target; absent: none.</param>
    public static AccessEntry Of(Exchange exchange, int status, TimeSpan duration, Claim? claim)
    {
        var request = exchange.Context.Request;
        return new AccessEntry
        {
            At = exchange.Time.GetUtcNow(),
            Id = exchange.Id,
            Client = ClientAddress.Of(exchange),
            Method = request.Method,
            Host = TextOf(request.Headers.Host),
            Path = WithoutQuery(RequestChecks.RawTargetOf(exchange.Context)),
            Protocol = request.Protocol,
            Referer = WithoutQuery(TextOf(request.Headers.Referer)),
            UserAgent = TextOf(request.Headers.UserAgent),
            Status = status,
            BytesIn = exchange.BytesIn,
            BytesOut = exchange.ResponseBody.Written,
            Duration = duration,
            UpstreamHead = claim is null ? null : exchange.UpstreamHead,
            Upstream = claim is null ? null : exchange.Upstream,
            Application = exchange.Serving?.Snapshot?.Application,
            Revision = claim?.Upstream.Target.Revision,
        };
    }

    private static ReadOnlySpan<char> TextOf(Microsoft.Extensions.Primitives.StringValues values) => values.Count == 0 ? default : values[0];

    private static ReadOnlySpan<char> WithoutQuery(ReadOnlySpan<char> target) => target.IndexOfAny('?', '#') is >= 0 and var query ? target[..query] : target;
}
