using System.Collections.Concurrent;
using Wunderproxy.Controller.Acting;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Metering;

/// <summary>What the reconciler has done since it started. Safe from any thread.</summary>
internal sealed class ReconcilerCounts
{
    private readonly DurationHistogram _passes = new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
    private readonly ConcurrentDictionary<(string Effect, Outcome Outcome), long> _effects = new();

    /// <summary>Orders that wait to be looked at.</summary>
    public Func<int> Waiting { get; set; } = () => 0;

    /// <summary>Counts a pass.</summary>
    public void PassEnded(TimeSpan duration) => _passes.Record(duration);

    /// <summary>Counts an effect.</summary>
    /// <param name="effect">Its kind, such as <c>Pull</c>.</param>
    /// <param name="outcome">How it ended.</param>
    public void EffectEnded(string effect, Outcome outcome) => _effects.AddOrUpdate((effect, outcome), 1, (_, count) => count + 1);

    /// <summary>The counts as metrics.</summary>
    public IEnumerable<MetricFamily> ToMetrics()
    {
        yield return new MetricFamily("wunderproxy_reconcile_pass_duration_seconds", MetricKind.Histogram, "How long passes of the reconciler took; their count is the number of passes.", [_passes.ToSample()]);
        yield return MetricFamily.Of("wunderproxy_reconcile_orders_waiting", MetricKind.Gauge, "Orders that wait to be looked at.", Waiting());
        yield return Effects("wunderproxy_reconcile_effects_total", "Effects that have ended, by kind and outcome.", _ => true);
        yield return Effects("wunderproxy_reconcile_errors_total", "Effects that failed, by kind and by whose fault it was.", outcome => outcome != Outcome.Done);
    }

    private MetricFamily Effects(string name, string help, Func<Outcome, bool> isMeant) => new(
        name,
        MetricKind.Counter,
        help,
        [.. _effects.Where(effect => isMeant(effect.Key.Outcome)).OrderBy(effect => effect.Key).Select(effect => new MetricSample([("effect", effect.Key.Effect), ("outcome", effect.Key.Outcome.ToString())], effect.Value))]);
}
