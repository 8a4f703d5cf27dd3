using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Releases;

/// <summary>How a release's requests went over some time.</summary>
/// <param name="Requests">Requests that ended, streams apart.</param>
/// <param name="Errors">Those of them that were answered with a status from 500 on.</param>
/// <param name="Slow">Those of them that took longer than the new release's <c>Probation.MaxLatency</c>.</param>
/// <param name="ErrorDispersion">How errors came: 1 each by itself, more in bursts.</param>
/// <param name="SlowDispersion">How slow requests came.</param>
internal sealed record TrafficSample(long Requests, long Errors, long Slow, double ErrorDispersion = 1, double SlowDispersion = 1)
{
    /// <summary>The minutes that say how a release went of late.</summary>
    public const int LastMinutes = 5;

    /// <summary>The minutes in which a release is judged: the longest that the Proxy tells of.</summary>
    public const int JudgedMinutes = 15;

    /// <summary>The sample of the container's newest turn; absent: the Proxy tells nothing of it.</summary>
    /// <param name="proxy">What the Proxy tells.</param>
    /// <param name="containerId">The container.</param>
    /// <param name="minutes">One of the windows that the Proxy tells of.</param>
    public static TrafficSample? Of(ApplicationState? proxy, string? containerId, int minutes) =>
        proxy?.Targets.FirstOrDefault(t => t.Target.ContainerId == containerId)?.Traffic.Latency.FirstOrDefault(w => w.Minutes == minutes) is { } window
            ? new TrafficSample(window.Requests, window.Errors, window.Slow, window.ErrorDispersion, window.SlowDispersion)
            : null;
}
