using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Targets;

/// <summary>A target to which no request is sent any more, and how long those that run on it may go on.</summary>
/// <param name="Upstream">The target.</param>
/// <param name="PlainLimit">Until plain requests are cut.</param>
/// <param name="StreamLimit">Until streams are cut.</param>
internal readonly record struct ReplacedTarget(Upstream Upstream, TimeSpan PlainLimit, TimeSpan StreamLimit)
{
    /// <summary>All that was served, with the limits that apply where it isn't any more.</summary>
    /// <param name="former">What was served.</param>
    /// <param name="next">The snapshot that says how long the active target has.</param>
    public static IEnumerable<ReplacedTarget> In(Serving former, ApplicationSnapshot next)
    {
        if (former.Upstream is { } active)
        {
            yield return new ReplacedTarget(active, next.DrainTimeout, next.StreamDrainTimeout);
        }

        if (former.Standby is { } standby)
        {
            yield return new ReplacedTarget(standby.Upstream, standby.Settings.DrainTimeout, standby.Settings.StreamDrainTimeout);
        }
    }

    /// <summary>Begins the drain.</summary>
    public void Drain() => Upstream.Drain(PlainLimit, StreamLimit);
}
