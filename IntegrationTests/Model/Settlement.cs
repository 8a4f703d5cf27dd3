using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>What must be so once nothing goes wrong any more and there is nothing left to do or to wait for.</summary>
internal static class Settlement
{
    /// <summary>What isn't as it should be in a state in which nothing happens any more; absent: all is.</summary>
    public static string? Missing(ModelState state)
    {
        var journal = state.Journal;
        if (journal.NeedsAdoption)
            return "the journal was never filled";
        if (journal.Switch is not null)
            return "a switch is still open";
        if (journal.Deployments.FirstOrDefault(d => d.End is null) is { } open)
            return $"the {open.Kind} of {Catalogue.NameOf(open.Hash)} never ended";
        if (journal.Candidates.Count > 0)
            return $"{NameOf(journal.Candidates[0].Ref)} is still on its way";
        if (journal.Drains.Count > 0)
            return $"{NameOf(journal.Drains[0].Ref)} still drains";
        return Garbage(state) ?? NotServed(state);
    }

    private static string? Garbage(ModelState state)
    {
        var purposes = state.Journal.Purposes.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        if (state.Containers.FirstOrDefault(c => !purposes.Contains(c.Fact.Ref.Name)) is { } garbage)
            return $"{NameOf(garbage.Fact.Ref)} is there without a purpose";
        return state.Containers.FirstOrDefault(c => c.Fact.IsRunning && c.Fact.Ref.Name != state.Journal.Active?.Ref.Name) is { } idle
            ? $"{NameOf(idle.Fact.Ref)} runs without being the active one"
            : null;
    }

    private static string? NotServed(ModelState state)
    {
        var journal = state.Journal;
        if (state.Current is CurrentDocument.Valid current && journal.Desired?.ETag != current.ETag)
            return "current.json was never taken notice of";
        var decision = journal.Decided;
        var isInForce = decision is { GivenUp: false } && journal.RejectionOf(decision.Hash) is null;
        if (isInForce && journal.Active?.Ref.Hash != decision!.Hash)
            return $"{Catalogue.NameOf(decision.Hash)} is wanted and not active";
        if (journal.Active is not { } active)
            return null;
        if (state.Named(active.Ref.Name) is not { } container || state.Proxy?.Target is not { } target || !container.IsHealthyAs(target))
            return $"{NameOf(active.Ref)} is active and not served";
        if (state.Proxy.Standby is { } standby)
            return $"{standby.Revision} gets requests and doesn't stand by";
        return (state.Proxy?.Snapshot?.Maintenance is not null) != journal.Maintenance ? "maintenance is not as ordered" : null;
    }

    private static string NameOf(ContainerRef container) => $"{Catalogue.NameOf(container.Hash)}{container.Incarnation}";
}
