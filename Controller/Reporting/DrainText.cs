using System.Globalization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Reporting;

/// <summary>What became of an order about drains, for people.</summary>
internal static class DrainText
{
    public static IEnumerable<Line> Of(DrainStatus drained, DrainOrder order, DateTimeOffset now) => drained.Releases.Select(release => new Line(LineOf(release, order, now)));

    private static string LineOf(TargetTraffic release, DrainOrder order, DateTimeOffset now)
    {
        var name = Words.Name(release.Target.Revision, release.Target.Release);
        var left = release.InFlight + release.Streams;
        return (order.End, release.Deadline) switch
        {
            (true, _) => string.Create(CultureInfo.InvariantCulture, $"What ran on {name} is being cut; {left} are left."),
            (false, { } deadline) => string.Create(CultureInfo.InvariantCulture, $"{left} run on {name}; the last is cut at {Words.Until(deadline, now)}."),
            _ => $"Nothing runs on {name} any more.",
        };
    }
}
