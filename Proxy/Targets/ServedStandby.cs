using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Previews;

namespace Wunderproxy.Proxy.Targets;

/// <summary>A release that stands by, and who gets to it before the switch.</summary>
/// <param name="upstream">Its target.</param>
/// <param name="snapshot">The snapshot that it is in.</param>
/// <param name="settings">What the snapshot says of it.</param>
internal sealed class ServedStandby(Upstream upstream, ApplicationSnapshot snapshot, Standby settings)
{
    private readonly PreviewPass? _preview = settings.Preview is { } preview ? new PreviewPass(preview) : null;
    private readonly CanaryShare? _canary = settings.Canary is { } canary ? new CanaryShare(canary, snapshot, settings.Target.Release) : null;

    /// <summary>Its target.</summary>
    public Upstream Upstream => upstream;

    /// <summary>What the snapshot says of it.</summary>
    public Standby Settings => settings;

    /// <summary>Percent of the clients that it gets.</summary>
    public int Percent => settings.Canary?.Percent ?? 0;

    /// <summary>Why a request goes to it.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="isShared">Whether it may go there because its client is in the share.</param>
    public StandbyVisit VisitOf(Exchange exchange, bool isShared)
    {
        if (upstream.Visits.IsAway)
        {
            return StandbyVisit.None;
        }

        return _preview is not null && _preview.Admits(exchange) ? StandbyVisit.Preview
            : _canary is not null && isShared && _canary.Includes(exchange) ? StandbyVisit.Canary
            : StandbyVisit.None;
    }
}
