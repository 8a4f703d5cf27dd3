using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>One thing that can happen.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="About">To what.</param>
/// <param name="After">The state after it.</param>
/// <param name="IsFair">Whether it happens sooner or later where nothing goes wrong any more.</param>
internal sealed record Move(MoveKind Kind, object? About, ModelState After, bool IsFair = false);

internal enum MoveKind
{
    StrayArrives,
    ProxyReturns,
    EngineReturns,
    Recovers,
    CallEnds,
    Probed,
    ControllerActs,
    TimePasses,
    RequestsEnd,
    CallGoesWrong,
    CallFails,
    CallGoesAstray,
    StartsWell,
    Exits,
    TurnsUnready,
    IsRemoved,
    WriteFails,
    WriteFailsButIsThere,
    ControllerDies,
    ControllerDiesAndItsCallsLiveOn,
    ProxyRestarts,
    ProxyForgets,
    EngineRestarts,
    EngineIsLost,
    PowerFails,
    CurrentNames,
    Launched,
    Switched,
    Reloaded,
    Withdrawn,
    TriedAgain,
    MaintenanceChanges,
}

/// <summary>Everything that can happen in a state. The first fair move is the one that a run without further faults takes.</summary>
internal static class Moves
{
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(11);
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(1);

    public static List<Move> Of(ModelState state, Round round)
    {
        var s = state with { Now = state.Now.AddTicks(1) };
        var moves = new List<Move>();
        moves.AddRange(Strays(s));
        moves.AddRange(Returns(s));
        moves.AddRange(s.Calls.Select(call => End(s, call)));
        moves.AddRange(Probes(s));
        if (!round.IsQuiet)
            moves.Add(new Move(MoveKind.ControllerActs, round, Begin(s, round, round.Journal), IsFair: true));
        moves.AddRange(Time(s, round));
        moves.AddRange(Releases(s));
        if (s.Budget.Faults > 0)
            moves.AddRange(Faults(s with { Budget = s.Budget with { Faults = s.Budget.Faults - 1 } }));
        if (s.Budget.Crashes > 0)
            moves.AddRange(Crashes(s with { Budget = s.Budget with { Crashes = s.Budget.Crashes - 1 } }, round));
        if (s.Budget.Changes > 0)
            moves.AddRange(Changes(s with { Budget = s.Budget with { Changes = s.Budget.Changes - 1 }, Edition = s.Edition + 1, Now = s.Now.AddMilliseconds(1) }));
        return moves;
    }

    private static IEnumerable<Move> Strays(ModelState s) => s.Strays
        .Where(stray => stray.GoesToProxy ? s.ProxyIsUp : s.EngineIsUp)
        .Select(stray => new Move(MoveKind.StrayArrives, stray.Effect, Acts.Carry(s with { Strays = s.Strays.RemoveAll(c => ReferenceEquals(c, stray)) }, stray).After, IsFair: true));

    private static IEnumerable<Move> Returns(ModelState s)
    {
        if (!s.ProxyIsUp)
            yield return new Move(MoveKind.ProxyReturns, null, s with { ProxyIsUp = true }, IsFair: true);
        if (!s.EngineIsUp)
            yield return new Move(MoveKind.EngineReturns, null, s with { EngineIsUp = true, Containers = [.. s.Containers.Select(Unseen)] }, IsFair: true);
        foreach (var container in s.Containers.Where(c => c.Fact.State == ContainerState.Running && !c.IsWell && !(IsBad(c) && IsOnTrial(s, c))))
            yield return new Move(MoveKind.Recovers, container.Fact.Ref, s.With(container, container with { IsWell = true }), IsFair: true);
    }

    // An exit from before the engine's events were seen again is nobody's own doing.
    private static ModelContainer Unseen(ModelContainer container) => container.Fact.ExitedByItself ? container with { Fact = container.Fact with { ExitedByItself = false } } : container;

    private static Move End(ModelState s, Call call)
    {
        var isReached = call.GoesToProxy ? s.ProxyIsUp : s.EngineIsUp;
        if (!isReached)
            return new Move(MoveKind.CallEnds, (call.Effect, "not reached"), Failed(s, call, new Acts.Failure(Outcome.Transient, "not reached")), IsFair: true);
        var (after, failure) = Acts.Carry(s, call);
        if (failure is not null)
            return new Move(MoveKind.CallEnds, (call.Effect, failure.Why), Failed(after, call, failure), IsFair: true);
        return call.Effect is Effect.Stop && !call.IsFenced
            ? new Move(MoveKind.CallEnds, (call.Effect, "the fence is raised"), after with { Calls = after.Calls.Replace(c => ReferenceEquals(c, call), c => c with { IsFenced = true }) }, IsFair: true)
            : new Move(MoveKind.CallEnds, (call.Effect, "done"), Done(after, call), IsFair: true);
    }

    private static ModelState Done(ModelState s, Call call) => Without(s, call) with { Failures = s.Failures.RemoveAll(f => f.Effect.Key == call.Effect.Key || IsPast(s, f)) };

    private static ModelState Failed(ModelState s, Call call, Acts.Failure failure)
    {
        var pause = failure.Outcome == Outcome.Ambiguous ? TimeSpan.FromMilliseconds(100) : call.Effect is Effect.Route or Effect.RaiseFence or Effect.Stop ? ShortPause : LongPause;
        var noted = new EffectFailure(call.Effect, failure.Outcome, failure.Class, failure.Why, s.Now, 1, s.Now + pause);
        return Without(s, call) with { Failures = s.Failures.RemoveAll(f => f.Effect.Key == call.Effect.Key || IsPast(s, f)).Add(noted) };
    }

    // Nobody asks about it any more: it neither delays nor is anybody's fault.
    private static bool IsPast(ModelState s, EffectFailure failure) => failure.RetryAt <= s.Now && failure.Outcome is not (Outcome.TerminalSpec or Outcome.Refused);

    private static ModelState Without(ModelState s, Call call) => s with { Calls = s.Calls.RemoveAll(c => ReferenceEquals(c, call)) };

    private static IEnumerable<Move> Probes(ModelState s) => s.Containers.Where(c => c.IsToBeProbed)
        .Select(c => new Move(MoveKind.Probed, c.Fact.Ref, s.With(c, c with { Fact = c.Fact with { Verdict = c.VerdictAfterProbe } }), IsFair: true));

    private static ModelState Begin(ModelState s, Round round, Journal journal) => s with
    {
        Journal = journal,
        OnDisk = null,
        Calls = round.Step.Effect is { } effect ? s.Calls.Add(new Call(effect, IsFenced: false)) : s.Calls,
    };

    // Probes and calls take an instant, compared with every deadline, but for pulls and for what went astray. The plan waits for the earliest deadline.
    private static IEnumerable<Move> Time(ModelState s, Round round)
    {
        if (round is { IsQuiet: true, Step.LookAgainAt: { } at } && !s.Containers.Any(c => c.IsToBeProbed) && s.Calls.All(c => c.Effect is Effect.Pull))
            yield return new Move(MoveKind.TimePasses, at - s.Now, At(s, at), IsFair: true);
        if (round is { IsQuiet: true, Step.LookAgainAt: { } later } && later - s.Now > Long + Soon && s.Calls.Count == 0 && !s.Containers.Any(c => c.IsToBeProbed))
            yield return new Move(MoveKind.TimePasses, later - Soon - s.Now, At(s, later - Soon));
        foreach (var container in s.Containers.Where(c => round.IsQuiet && c.CutAt is not null))
            yield return new Move(MoveKind.RequestsEnd, container.Fact.Ref, s.With(container, container with { CutAt = null }));
    }

    // The Proxy cuts what has had its time.
    private static ModelState At(ModelState s, DateTimeOffset now) => s with { Now = now, Containers = [.. s.Containers.Select(c => c.CutAt <= now ? c with { CutAt = null } : c)] };

    // The bad release is bad for nothing: its image is missing, its configuration is refused, it starts well and then fails, it exits.
    private static IEnumerable<Move> Releases(ModelState s)
    {
        foreach (var call in s.Calls.Where(_ => s.EngineIsUp))
        {
            if (call.Effect is Effect.Pull { Hash: var pulled } && Catalogue.NameOf(pulled) == Catalogue.Bad)
                yield return new Move(MoveKind.CallGoesWrong, (call.Effect, "no such image"), Failed(s, call, new Acts.Failure(Outcome.TerminalSpec, "no such image", FailureClass.ImageMissing)));
            if (call.Effect is Effect.Create { Container.Hash: var created } && Catalogue.NameOf(created) == Catalogue.Bad)
                yield return new Move(MoveKind.CallGoesWrong, (call.Effect, "bad option"), Failed(s, call, new Acts.Failure(Outcome.TerminalSpec, "bad option", FailureClass.BadOption)));
            if (call.Effect is Effect.Start start && Catalogue.NameOf(start.Container.Hash) == Catalogue.Bad)
                yield return new Move(MoveKind.StartsWell, start.Container, Done(Acts.Start(s, start, isWell: true).After, call));
        }

        foreach (var container in s.Containers.Where(c => IsBad(c) && c.Fact.State == ContainerState.Running && IsOnTrial(s, c)))
        {
            yield return new Move(MoveKind.Exits, container.Fact.Ref, s.With(container, Acts.Ended(container, s.Now, s.EngineIsUp)));
            if (container.IsWell)
                yield return new Move(MoveKind.TurnsUnready, container.Fact.Ref, s.With(container, container with { IsWell = false }));
        }
    }

    // Once it has survived its probation it is as good as any other; so it is where there is none to go back to.
    private static bool IsOnTrial(ModelState s, ModelContainer container) =>
        s.Journal.Active?.Ref != container.Fact.Ref || s.Journal.Drains.Any(d => s.Now < d.WarmUntil && s.Named(d.Ref.Name) is { Fact.IsReady: true, IsWell: true });

    private static bool IsBad(ModelContainer container) => Catalogue.NameOf(container.Fact.Ref.Hash) == Catalogue.Bad;

    private static IEnumerable<Move> Faults(ModelState s)
    {
        foreach (var call in s.Calls)
        {
            var isTaken = call.Effect is Effect.Create or Effect.Start;
            yield return new Move(MoveKind.CallFails, call.Effect, Failed(s, call, new Acts.Failure(call.Effect is Effect.Pull ? Outcome.TerminalEnv : Outcome.Transient, "it failed")));
            yield return new Move(MoveKind.CallGoesAstray, call.Effect, Failed(s, call, new Acts.Failure(Outcome.Ambiguous, "no answer")) with { Strays = s.Strays.Add(call) });
            if (isTaken)
                yield return new Move(MoveKind.CallGoesWrong, (call.Effect, "its name or address is taken"), Failed(s, call, new Acts.Failure(Outcome.Refused, "taken")));
        }

        foreach (var container in s.Containers)
        {
            var blamed = s with { Blamed = s.Blamed | Acts.BitOf(container.Fact.Ref.Hash) };
            if (container.Fact.State != ContainerState.Running)
            {
                yield return new Move(MoveKind.IsRemoved, container.Fact.Ref, s with { Containers = s.Containers.RemoveAll(c => ReferenceEquals(c, container)) });
                continue;
            }

            yield return new Move(MoveKind.Exits, container.Fact.Ref, blamed.With(container, Acts.Ended(container, s.Now, s.EngineIsUp)));
            if (container.IsWell)
                yield return new Move(MoveKind.TurnsUnready, container.Fact.Ref, blamed.With(container, container with { IsWell = false }));
        }
    }

    private static IEnumerable<Move> Crashes(ModelState s, Round round)
    {
        yield return new Move(MoveKind.ControllerDies, null, Restarted(s) with { Calls = [] });
        if (s.Calls.Count > 0)
            yield return new Move(MoveKind.ControllerDiesAndItsCallsLiveOn, null, Restarted(s) with { Calls = [], Strays = [.. s.Strays, .. s.Calls] });
        if (s.ProxyIsUp)
        {
            var down = s with { ProxyIsUp = false, Strays = s.Strays.RemoveAll(c => c.GoesToProxy), Containers = [.. s.Containers.Select(c => c with { CutAt = null })] };
            yield return new Move(MoveKind.ProxyRestarts, null, down);
            yield return new Move(MoveKind.ProxyForgets, null, down with { Proxy = null });
        }

        if (s.EngineIsUp)
        {
            var lost = s with { EngineIsUp = false };
            yield return new Move(MoveKind.EngineIsLost, null, lost);
            yield return new Move(MoveKind.EngineRestarts, null, Halted(lost) with { Strays = s.Strays.RemoveAll(c => !c.GoesToProxy) });
        }

        yield return new Move(MoveKind.PowerFails, null, Halted(Restarted(s)) with { Calls = [], Strays = [], ProxyIsUp = true, EngineIsUp = true });
        if (round.Journal != s.Journal)
        {
            var unsaved = round.Step.Effect is Effect.Start ? Begin(s, round, s.Journal) : s;
            yield return new Move(MoveKind.WriteFails, round, unsaved with { OnDisk = s.OnDisk });
            yield return new Move(MoveKind.WriteFailsButIsThere, round, unsaved with { OnDisk = round.Journal });
        }
    }

    private static ModelState Restarted(ModelState s) => s with
    {
        Journal = s.OnDisk ?? s.Journal,
        OnDisk = null,
        Failures = [],
        ImagesRemoved = 0,
        Containers = [.. s.Containers.Select(c => SeenAnew(c, s.OnDisk ?? s.Journal))],
    };

    private static ModelContainer SeenAnew(ModelContainer container, Journal journal)
    {
        var fact = Unseen(container).Fact;
        var isTrusted = journal.Active is { } active && active.VerifiedId == fact.Id && active.VerifiedStart == fact.StartedAt && fact.State == ContainerState.Running;
        return container with { Fact = fact with { Verdict = isTrusted ? Verdicts.Ready : Verdict.Unverified } };
    }

    private static ModelState Halted(ModelState s) => s with
    {
        Containers = [.. s.Containers.Select(c => c.Fact.State == ContainerState.Running ? Acts.Ended(c, s.Now, isSeen: false) : c with { CutAt = null })],
    };

    private static IEnumerable<Move> Changes(ModelState s)
    {
        foreach (var hash in Catalogue.Hashes)
        {
            var isRejected = s.Journal.RejectionOf(hash) is not null;
            if (isRejected || (s.Current as CurrentDocument.Valid)?.Hash != hash)
                yield return new Move(MoveKind.CurrentNames, hash, s with { Current = new CurrentDocument.Valid(hash, $"etag-{s.Edition}") });
            if (isRejected || s.Journal.Decided?.Hash != hash)
                yield return new Move(MoveKind.Switched, hash, Ordered(s, new Order.Switch(hash, Force: false)));
            if (s.Journal.Active?.Ref.Hash != hash)
                yield return new Move(MoveKind.Launched, hash, Ordered(s, new Order.Launch(hash)));
        }

        if (s.Journal.Active is { } active)
            yield return new Move(MoveKind.Reloaded, active.Ref.Hash, Ordered(s, new Order.Switch(active.Ref.Hash, Force: true)));
        if (new Order.Abort().RefusalIn(s.Journal) is null)
            yield return new Move(MoveKind.Withdrawn, null, Ordered(s, new Order.Abort()));
        if (new Order.Retry().RefusalIn(s.Journal) is null)
            yield return new Move(MoveKind.TriedAgain, null, Ordered(s, new Order.Retry()));
        yield return new Move(MoveKind.MaintenanceChanges, !s.Journal.Maintenance, Ordered(s, new Order.Maintenance(!s.Journal.Maintenance)));
    }

    private static ModelState Ordered(ModelState s, Order order) => s with { Journal = order.ApplyTo(s.Journal, s.Now, Catalogue.Settings).Journal, OnDisk = null };
}
