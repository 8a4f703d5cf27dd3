using System.Globalization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Following;

/// <summary>Says, from one status to the next, how far a host is that is taken out of service.</summary>
/// <param name="host">The host as it was named.</param>
/// <param name="quiet">For how long nobody must have come until nobody is expected any more.</param>
internal sealed class HostDrainFollower(string host, TimeSpan quiet)
{
    private bool _hasBegun;
    private HostDrainNews? _latest;
    private string? _silence;

    /// <summary>Takes what the host says now.</summary>
    public HostDrainNews Take(StatusDocument status)
    {
        var drain = status.Proxy?.HostDrain;
        _silence = null;
        _hasBegun |= drain is not null;
        var news = NewsOf(status, drain);
        return _latest = drain switch
        {
            null when _hasBegun && status.Proxy is not null => news with { End = HostDrainEnd.Undrained, Message = "Somebody has brought the host back into service meanwhile." },
            null => news,
            _ when news.Requests + news.Streams == 0 && status.At - (drain.LastRequest ?? drain.Since) >= quiet => news with { End = HostDrainEnd.Idle, Message = IdleText(news) },
            _ => news,
        };
    }

    /// <summary>The host isn't reached; it is asked again.</summary>
    public HostDrainNews Miss(string message)
    {
        _silence = message;
        return Latest;
    }

    /// <summary>Gives up: the time is over.</summary>
    public HostDrainNews GiveUp(TimeSpan limit) => _silence is { } silence
        ? Latest with { End = HostDrainEnd.Unreachable, Message = $"{silence} The host stays out of service." }
        : Latest with { End = HostDrainEnd.TimedOut, Message = $"The host isn't idle after {Words.Span(limit)}. {LeftText(Latest)} It stays out of service: wunderproxy undrain-host brings it back." };

    /// <summary>What still runs and comes, in words.</summary>
    public static string Describe(HostDrainNews news)
    {
        var lately = news is { LastRequest: { } last, At: { } now } ? $"the latest request came {Words.Span(now - last)} ago" : "no request came";
        return string.Create(CultureInfo.InvariantCulture, $"{news.Requests} requests and {news.Streams} streams run; {lately}; {news.HealthChecks} health checks were told that the host isn't ready");
    }

    private HostDrainNews Latest => _latest ?? new HostDrainNews { Host = host };

    private HostDrainNews NewsOf(StatusDocument status, HostDrain? drain)
    {
        var applications = status.Proxy?.Applications ?? [];
        return new HostDrainNews
        {
            Host = host,
            At = status.At,
            Requests = applications.Sum(application => application.Waiting + application.Queued + application.Targets.Sum(target => target.InFlight)),
            Streams = applications.Sum(application => application.Targets.Sum(target => target.Streams)),
            HealthChecks = drain?.HealthChecks ?? 0,
            LastRequest = drain?.LastRequest,
        };
    }

    private string IdleText(HostDrainNews news) =>
        $"Nothing runs on the host any more, and nobody has come for {Words.Span(quiet)}.{(news.HealthChecks == 0 ? " Nobody has asked for the health check's path either: make sure that the load balancer knows." : "")} "
        + "It may be stopped or restarted, and stays out of service until wunderproxy undrain-host.";

    private static string LeftText(HostDrainNews news) => (news.HealthChecks, news.Streams) switch
    {
        (0, _) => $"Nobody has asked for the health check's path, so the load balancer doesn't know: point its health check there. {Left(news)}",
        (_, > 0) => $"{Left(news)} WebSockets are told to close when the Proxy stops.",
        _ => Left(news),
    };

    private static string Left(HostDrainNews news)
    {
        var text = Describe(news);
        return $"{char.ToUpperInvariant(text[0])}{text[1..]}.";
    }
}
