using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>What calls bring about once they get through to the engine or the Proxy.</summary>
internal static class Acts
{
    /// <summary>Carries a call out.</summary>
    /// <returns>The world after it, and why it failed; absent: it is done.</returns>
    public static (ModelState After, Failure? Failure) Carry(ModelState state, Call call) => call.Effect switch
    {
        Effect.Pull pull => (state with { ImagesHere = state.ImagesHere | BitOf(pull.Hash), ImagesRemoved = state.ImagesRemoved & ~BitOf(pull.Hash) }, null),
        Effect.Create create => (Create(state, create), null),
        Effect.Start start => Start(state, start, isWell: Catalogue.NameOf(start.Container.Hash) != Catalogue.Bad),
        Effect.Stop stop => call.IsFenced ? (Stop(state, stop.Id), null) : Raise(state, stop.Fence, stop.Id, stop.MustBeIdle),
        Effect.Remove remove => Remove(state, remove.Id),
        Effect.RemoveImage remove => (RemoveImage(state, remove), null),
        Effect.Route route => Apply(state, route.Snapshot),
        Effect.Show show => Apply(state, show.Snapshot),
        Effect.RaiseFence fence => Raise(state, fence.Fence, fence.Id ?? "", mustBeIdle: false),
        _ => throw new ArgumentOutOfRangeException(nameof(call), call, "Not an effect."),
    };

    /// <summary>Starts a container; what becomes of it is its own affair.</summary>
    public static (ModelState After, Failure? Failure) Start(ModelState state, Effect.Start start, bool isWell)
    {
        if (state.Find(start.Id) is not { } container)
            return (state, new Failure(Outcome.Transient, "there is no such container"));
        if (container.Fact.State == ContainerState.Running)
            return (state, null);
        var running = container.Fact with
        {
            State = ContainerState.Running,
            StartedAt = state.Now,
            FinishedAt = null,
            ExitCode = null,
            ExitedByItself = false,
            Address = $"172.30.0.{container.Fact.Ref.Incarnation}:9292",
            Verdict = Verdict.Unverified,
        };
        return (state.With(container, new ModelContainer(running, isWell, null)), null);
    }

    /// <summary>The container after it has ended.</summary>
    /// <param name="container">It, running.</param>
    /// <param name="now">When.</param>
    /// <param name="isSeen">Whether the Controller saw it end, and so takes it for the container's own doing.</param>
    public static ModelContainer Ended(ModelContainer container, DateTimeOffset now, bool isSeen) => new(
        container.Fact with { State = ContainerState.Exited, FinishedAt = now, ExitCode = 1, ExitedByItself = isSeen, Address = null }, container.IsWell, null);

    public static int BitOf(string hash) => 1 << Catalogue.IndexOf(hash);

    // The name of a container is deterministic, so one that is there already is our own and is taken.
    private static ModelState Create(ModelState state, Effect.Create create)
    {
        if (state.Named(create.Container.Name) is not null)
            return state;
        var fact = new ContainerFact { Ref = create.Container, Id = $"{create.Container.Name}@{state.Now.Ticks}", State = ContainerState.Created, ImageId = create.ImageId };
        return state with { Containers = state.Containers.Add(new ModelContainer(fact, IsWell: true, null)) };
    }

    private static ModelState Stop(ModelState state, string id) =>
        state.Find(id) is { Fact.State: ContainerState.Running } container ? state.With(container, Ended(container, state.Now, isSeen: true)) : state;

    private static (ModelState After, Failure? Failure) Remove(ModelState state, string id) => state.Find(id) switch
    {
        { Fact.State: ContainerState.Running } => (state, new Failure(Outcome.Transient, "it runs")),
        { } container => (state with { Containers = state.Containers.RemoveAll(c => ReferenceEquals(c, container)) }, null),
        null => (state, null),
    };

    private static ModelState RemoveImage(ModelState state, Effect.RemoveImage remove)
    {
        var bit = BitOf(Catalogue.References.First(r => r.Value == remove.Reference).Key);
        return state with { ImagesHere = state.ImagesHere & ~bit, ImagesRemoved = state.ImagesRemoved | bit };
    }

    private static (ModelState After, Failure? Failure) Raise(ModelState state, long fence, string notTarget, bool mustBeIdle)
    {
        var isInUse = mustBeIdle && state.Find(notTarget) is { CutAt: not null };
        var raised = ModelProxy.Raise(state.Proxy, fence, notTarget, isInUse, out var refusal);
        return refusal is null ? (state with { Proxy = raised }, null) : (state, new Failure(Outcome.Refused, refusal));
    }

    private static (ModelState After, Failure? Failure) Apply(ModelState state, ApplicationSnapshot snapshot)
    {
        var before = state.Proxy;
        var after = ModelProxy.Apply(before, snapshot, target => state.Containers.Any(c => c.IsHealthyAs(target)), out var refusal);
        if (refusal is not null)
            return (state, new Failure(Outcome.Refused, refusal));
        return (state with { Proxy = after, Containers = [.. state.Containers.Select(c => AfterMove(c, before, after!, state.Now))] }, null);
    }

    // The worst case: whoever got requests and gets none any more always has one that takes as long as it may.
    private static ModelContainer AfterMove(ModelContainer container, ModelProxy? before, ModelProxy after, DateTimeOffset now)
    {
        var id = container.Fact.Id;
        if (after.SendsTo(id))
            return container.CutAt is null ? container : container with { CutAt = null };
        if (before?.Target is { } target && container.IsHealthyAs(target))
            return container with { CutAt = now + Longest(after.Snapshot!.DrainTimeout, after.Snapshot.StreamDrainTimeout) };
        return before?.Standby is { } standby && container.IsHealthyAs(standby)
            ? container with { CutAt = now + Longest(before.Snapshot!.Standby!.DrainTimeout, before.Snapshot.Standby.StreamDrainTimeout) }
            : container;
    }

    private static TimeSpan Longest(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>Why a call failed.</summary>
    internal sealed record Failure(Outcome Outcome, string Why, FailureClass? Class = null);
}
