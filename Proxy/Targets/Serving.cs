using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>How requests are served at one instant. Never changed, only replaced by another one in one step.</summary>
/// <param name="Upstream">The active target; absent: none yet.</param>
/// <param name="Snapshot">The snapshot; absent: none was taken yet.</param>
/// <param name="Untargeted">Records requests that are answered without a target.</param>
/// <param name="Room">Where requests wait for the target.</param>
/// <param name="Queue">Where requests wait for a place on it.</param>
/// <param name="Standby">The release that stands by and that some requests go to; absent: there is none.</param>
internal sealed record Serving(Upstream? Upstream, ApplicationSnapshot? Snapshot, TrafficRecorder Untargeted, WaitingRoom Room, RequestQueue Queue, ServedStandby? Standby = null)
{
    /// <summary>The page that answers everything, while maintenance is up.</summary>
    public MaintenancePage? Maintenance => Snapshot?.Maintenance;

    /// <summary>The application's own page for a status; absent: it has none.</summary>
    public string? ErrorPageFor(int status) => Snapshot?.ErrorPages.PageFor(status);

    /// <summary>Whether an answer of the application itself is replaced by its page for that status, where the client wants a page.</summary>
    public bool ReplacesAnswer(int status) => Snapshot is { ErrorPages.ReplaceAnswers: true } && status != StatusCodes.Status401Unauthorized && ErrorPageFor(status) is not null;

    /// <summary>Which requests belong to the application.</summary>
    public Routing Routing { get; } = Snapshot?.Routing ?? new Routing();

    /// <summary>What the application doesn't see at the beginning of its paths; absent: it sees all.</summary>
    public string? StrippedPrefix { get; } = PrefixOf(Snapshot);

    /// <summary>What requests may take.</summary>
    public Limits Limits { get; } = Snapshot?.Limits ?? new Limits();

    /// <summary>Whether there is something to look at before a request goes to the target.</summary>
    public bool IsRestricted { get; } = Snapshot is { Limits: { MaxRequestBody: not null } or { MaxRequestsInFlight: not null } } or { Routing.Redirect: not null };

    /// <summary>Whether a request has to have a place on the target. Who looks after the application's health hasn't: it may be busy, and well.</summary>
    public bool WantsPlace(RequestPlace place) => Limits.MaxRequestsInFlight is not null && !IsHealthCheck(place);

    /// <summary>What answers over TLS say in <c>Strict-Transport-Security</c>; absent: nothing.</summary>
    public string? Hsts { get; } = Snapshot?.Tls?.Hsts?.ToHeader();

    /// <summary>Whether clients are asked for a certificate of theirs.</summary>
    public bool AsksClient => Snapshot?.Tls is { ClientCertificates: not ClientCertificates.None };

    /// <summary>Whether clients are refused that show none.</summary>
    public bool RequiresClient => Snapshot?.Tls is { ClientCertificates: ClientCertificates.Required };

    /// <summary>Whether requests wait, rather than go to the target.</summary>
    public bool IsPaused => Snapshot is { IsPaused: true };

    /// <summary>What is compressed; absent: nothing.</summary>
    public Compression? Compression => Snapshot?.Compression;

    /// <summary>What is kept for slow clients; absent: nothing.</summary>
    public Buffering? Buffering => Snapshot?.Buffering;

    /// <summary>How the bodies of requests are collected for the target; absent: they aren't, or there is nobody to collect them for.</summary>
    public Buffering? Collects => Upstream is not null && Maintenance is null ? Buffering : null;

    /// <summary>How long a request may wait.</summary>
    public TimeSpan HoldLimit => Snapshot?.HoldTimeout ?? TimeSpan.Zero;

    /// <summary>Whether a request goes to the target now, if there is one.</summary>
    public bool Admits(RequestPlace place) =>
        (Maintenance is null && !IsPaused) || (IsHealthCheck(place) && Snapshot is { HealthInMaintenance: HealthInMaintenance.Application });

    /// <summary>Whether a request is for the path that tells the application's health, and the Proxy itself answers it now.</summary>
    public bool AnswersHealthCheck(RequestPlace place) =>
        (Maintenance is not null || IsPaused) && IsHealthCheck(place) && Snapshot is { HealthInMaintenance: HealthInMaintenance.Healthy };

    /// <summary>Whether a request is for the path that tells the application's health. What everybody visits is none, even if health checks are sent there.</summary>
    public bool IsHealthCheck(RequestPlace place) =>
        Upstream is { Target.Probe.Path: var path } && !new RequestPlace("", path).HasPath("/")
        && place.HasPath(StrippedPrefix is null ? path : StrippedPrefix + path);

    private static string? PrefixOf(ApplicationSnapshot? snapshot) =>
        snapshot?.Routing is { StripPathPrefix: true, PathPrefix: not "/" and var prefix } ? prefix : null;
}
