using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.Controller.Releases;

/// <summary>Rows that carry a switch through, or give it up, whatever became of the messages about it.</summary>
internal static class SwitchRows
{
    public static IReadOnlyList<Row> All { get; } =
    [
        new("Commit", "a switch was decided, and the Proxy's target is the new release", "it is a fact: the new release is active, the former one drains", Commit),
        new("Route", "a switch was decided, and the new release is ready", "the Proxy is asked to move traffic", Route),
        new("Abort", "a switch was decided, and the new release is not ready any more", "the Proxy acknowledges a newer fence; then the switch is given up", Abort),
    ];

    private static Step? Commit(Situation s)
    {
        if (s.Journal.Switch is not { } intent || s.Find(intent.To) is not { } to || !s.IsTarget(to) || s.IsBusy("proxy"))
            return null;
        var probation = s.ConfigurationOf(intent.To.Hash)?.Probation.Duration ?? TimeSpan.Zero;
        var drain = (intent.From is { } from ? s.ConfigurationOf(from.Hash)?.Drain : null) ?? new DrainSpec();
        var longest = new[] { drain.Timeout, drain.StreamTimeout }.Max();
        var former = TrafficSample.Of(s.Proxy, s.Find(intent.From)?.Id, TrafficSample.LastMinutes);
        return new Step("Commit", "Traffic has moved") { Journal = s.Journal.WithCommittedSwitch(intent, to, s.Now, probation, longest, former) };
    }

    private static Step? Route(Situation s)
    {
        if (s.Journal.Switch is not { AbortFence: null } intent || s.Find(intent.To) is not { IsReady: true } to)
            return null;
        if (s.IsBusy("proxy") || !s.ProxyIsKnown)
        {
            s.Note("The Proxy is to move traffic");
            return null;
        }

        if (s.FailuresOf("proxy", intent.At).FirstOrDefault(f => f is { Effect: Effect.Route, Outcome: Outcome.Refused or Outcome.TerminalSpec }) is { } refusal)
            return AbortStep(s, intent, refusal.Message);
        var journal = s.Journal with { SnapshotGeneration = s.Journal.SnapshotGeneration + 1 };
        return Snapshots.Of(s, journal, to, intent.Fence) is { } snapshot
            ? s.Try("Route", "The new release is ready", new Effect.Route(to.Ref, snapshot), journal)
            : null;
    }

    private static Step? Abort(Situation s)
    {
        if (s.Journal.Switch is not { } intent)
            return null;
        if (intent.AbortFence is { } fence && s.Proxy?.Fence >= fence)
            return new Step("Abort", "The switch was given up") { Journal = s.Journal with { Switch = null } };
        if (intent.AbortFence is null && s.Find(intent.To) is { IsReady: true })
            return null;
        if (s.IsBusy("proxy") || !s.ProxyIsKnown)
        {
            s.Note("The Proxy is to acknowledge that the switch is given up");
            return null;
        }

        return AbortStep(s, intent, "The new release is not ready any more");
    }

    private static Step? AbortStep(Situation s, SwitchIntent intent, string reason)
    {
        var fence = s.Journal.Fence + 1;
        var journal = s.Journal with { Fence = fence, Switch = intent with { AbortFence = fence } };

        // One that stands by may go on with what it gets.
        var container = s.Find(intent.To) is { } to && !s.IsShown(to) ? to.Id : null;
        return s.Try("Abort", reason, new Effect.RaiseFence(intent.To, container, fence), journal);
    }
}
