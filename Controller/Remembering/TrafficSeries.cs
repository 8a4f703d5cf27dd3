namespace Wunderproxy.Controller.Remembering;

/// <summary>Points of steps of one length, of all sources, in the order in which they were told. The oldest go first.</summary>
/// <param name="keptSeconds">How long they are kept.</param>
/// <param name="most">How many are kept at most.</param>
internal sealed class TrafficSeries(int keptSeconds, int most)
{
    private readonly List<KeptPoint> _points = [];

    /// <summary>The points.</summary>
    public IReadOnlyList<KeptPoint> Points => _points;

    /// <summary>Puts what a run of the Proxy tells from a step on in the place of what it told of these steps before.</summary>
    /// <param name="run">The run.</param>
    /// <param name="from">Unix time in seconds.</param>
    /// <param name="until">When it was told, in the same way. Points of a later time were told before the clock was set back.</param>
    /// <param name="points">What it tells.</param>
    /// <returns>Whether there is anything new.</returns>
    public bool Replace(long run, long from, long until, IReadOnlyList<KeptPoint> points)
    {
        var replaced = _points.RemoveAll(point => point.Start > until || (point.Start >= from && point.Source.Run == run));
        _points.AddRange(points);
        var expired = Math.Max(_points.Count - most, _points.FindIndex(point => point.Start >= until - keptSeconds) is var first && first < 0 ? _points.Count : first);
        _points.RemoveRange(0, expired);
        return replaced + points.Count > 0;
    }
}
