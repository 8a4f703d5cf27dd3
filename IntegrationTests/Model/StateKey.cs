using System.Buffers.Binary;
using System.Security.Cryptography;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>
/// Tells states apart by what can matter from now on. Times count as what is left of them, fences, generations and incarnations by their order, ids by
/// what they name; messages, evidence and what has ended don't count. So two states with the same key have the same future.
/// </summary>
internal sealed class StateKey
{
    [ThreadStatic]
    private static StateKey? _ofThread;

    private readonly byte[] _bytes = new byte[4096];
    private readonly List<int> _incarnations = [];
    private readonly List<long> _fences = [];
    private readonly List<long> _generations = [];
    private ModelState _state = null!;
    private int _length;

    /// <summary>The key of a state.</summary>
    public static UInt128 Of(ModelState state) => (_ofThread ??= new StateKey()).Encode(state);

    private UInt128 Encode(ModelState state)
    {
        _state = state;
        _length = 0;
        Collect();
        Put(state.Budget.Faults, state.Budget.Crashes, state.Budget.Changes);
        Put(Bits(state.ProxyIsUp, state.EngineIsUp, state.OnDisk is not null), state.ImagesHere, state.ImagesRemoved, state.Blamed);
        Put(state.Containers.Count, state.Calls.Count, state.Strays.Count, state.Failures.Count);
        PutCurrent();
        PutJournal(state.Journal);
        if (state.OnDisk is { } onDisk)
            PutJournal(onDisk);
        foreach (var container in state.Containers)
            PutContainer(container);
        PutProxy();
        foreach (var call in state.Calls)
            PutCall(call);
        foreach (var call in state.Strays)
            PutCall(call);
        foreach (var failure in state.Failures)
            PutFailure(failure);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(_bytes.AsSpan(0, _length), hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private void Collect()
    {
        _incarnations.Clear();
        _fences.Clear();
        _generations.Clear();
        foreach (var container in _state.Containers)
            _incarnations.Add(container.Fact.Ref.Incarnation);
        Collect(_state.Journal);
        if (_state.OnDisk is { } onDisk)
            Collect(onDisk);
        if (_state.Proxy is { } proxy)
        {
            _fences.Add(proxy.Fence);
            _generations.Add(proxy.Generation);
        }

        foreach (var call in _state.Calls)
            Collect(call.Effect);
        foreach (var call in _state.Strays)
            Collect(call.Effect);
        foreach (var failure in _state.Failures)
            Collect(failure.Effect);
        Rank(_incarnations);
        Rank(_fences);
        Rank(_generations);
    }

    private void Collect(Journal journal)
    {
        _incarnations.Add(journal.Incarnation);
        foreach (var container in journal.Purposes)
            _incarnations.Add(container.Incarnation);
        _fences.Add(journal.Fence);
        _generations.Add(journal.SnapshotGeneration);
        if (journal.Switch is { } intent)
        {
            _fences.Add(intent.Fence);
            _fences.Add(intent.AbortFence ?? intent.Fence);
        }
    }

    private void Collect(Effect effect)
    {
        if (ContainerOf(effect) is { } container)
            _incarnations.Add(container.Incarnation);
        if (FenceOf(effect) is { } fence)
            _fences.Add(fence);
        if (SnapshotOf(effect) is { } snapshot)
            _generations.Add(snapshot.Generation);
    }

    private static void Rank<T>(List<T> values)
        where T : IComparable<T>
    {
        values.Sort();
        var kept = 0;
        for (var i = 0; i < values.Count; i++)
        {
            if (i == 0 || values[i].CompareTo(values[kept - 1]) != 0)
                values[kept++] = values[i];
        }

        values.RemoveRange(kept, values.Count - kept);
    }

    private static ContainerRef? ContainerOf(Effect effect) => effect switch
    {
        Effect.Create create => create.Container,
        Effect.Start start => start.Container,
        Effect.Stop stop => stop.Container,
        Effect.Remove remove => remove.Container,
        Effect.Route route => route.Container,
        Effect.RaiseFence fence => fence.Container,
        _ => null,
    };

    private static string? IdOf(Effect effect) => effect switch
    {
        Effect.Start start => start.Id,
        Effect.Stop stop => stop.Id,
        Effect.Remove remove => remove.Id,
        Effect.RaiseFence fence => fence.Id,
        _ => null,
    };

    private static long? FenceOf(Effect effect) => effect switch
    {
        Effect.Stop stop => stop.Fence,
        _ when SnapshotOf(effect) is { } snapshot => snapshot.Fence,
        Effect.RaiseFence fence => fence.Fence,
        _ => null,
    };

    private static ApplicationSnapshot? SnapshotOf(Effect effect) => effect switch
    {
        Effect.Route route => route.Snapshot,
        Effect.Show show => show.Snapshot,
        _ => null,
    };

    private void PutCurrent()
    {
        var current = _state.Current as CurrentDocument.Valid;
        Put(current is null ? 255 : Catalogue.IndexOf(current.Hash));
    }

    private void PutJournal(Journal journal)
    {
        var current = (_state.Current as CurrentDocument.Valid)?.ETag;
        Put(Bits(journal.NeedsAdoption, journal.Maintenance, journal.Desired?.ETag == current, journal.Crashes is not null));
        PutDecision(journal, journal.Desired);
        PutDecision(journal, journal.Pin);
        Put(_incarnations.IndexOf(journal.Incarnation), _incarnations.Contains(journal.Incarnation + 1) ? 1 : 0);
        PutFence(journal.Fence);
        PutGeneration(journal.SnapshotGeneration);
        PutRef(journal.Active?.Ref);
        PutRef(journal.Retained);
        PutSwitch(journal.Switch);
        Put(journal.Candidates.Count, journal.Drains.Count, journal.Attempts.Count, journal.Quarantine.Count);
        foreach (var candidate in journal.Candidates)
            PutCandidate(candidate);
        foreach (var draining in journal.Drains)
        {
            PutRef(draining.Ref);
            PutTime(draining.WarmUntil);
            PutTime(draining.Deadline);
            PutTime(draining.Since + Catalogue.LongestDrain);
        }

        foreach (var attempts in journal.Attempts)
        {
            Put(Catalogue.IndexOf(attempts.Hash), attempts.Count, _state.Containers.Any(c => c.Fact.Ref.Hash == attempts.Hash && c.Fact.FinishedAt == attempts.LastExit) ? 1 : 0);
            PutTime(attempts.BackoffUntil);
        }

        Put(journal.Quarantine.Aggregate(0, (bits, r) => bits | Acts.BitOf(r.Hash)), journal.Images.Aggregate(0, (bits, i) => bits | Acts.BitOf(i.Hash)));
        Put(journal.History.Count, journal.History.Aggregate(0, (sum, hash) => (sum * 3) + Catalogue.IndexOf(hash)));
        Put(journal.Stopping.Aggregate(0, (bits, run) => bits | (_state.Find(run.ContainerId) is { Fact.IsRunning: true } c && c.Fact.StartedAt == run.StartedAt ? 1 << PositionOf(run.ContainerId) : 0)));
        PutActive(journal);
        foreach (var deployment in journal.Deployments)
        {
            if (deployment.End is not null)
                continue;
            Put(1, (int)deployment.Kind, Catalogue.IndexOf(deployment.Hash));
            PutTime(deployment.Deadline);
        }

        Put(0);
    }

    private void PutDecision(Journal journal, Decision? decision) => Put(
        decision is null ? 255 : Catalogue.IndexOf(decision.Hash),
        decision is null ? 0 : Bits(decision.GivenUp, decision.Force, decision.Force && journal.Active is { } active && active.Since < decision.At));

    private void PutSwitch(SwitchIntent? intent)
    {
        PutRef(intent?.From);
        PutRef(intent?.To);
        if (intent is null)
            return;
        PutFence(intent.Fence);
        Put(intent.AbortFence is null ? 0 : 1);
        PutFence(intent.AbortFence ?? intent.Fence);
    }

    private void PutCandidate(Candidate candidate)
    {
        PutRef(candidate.Ref);
        Put((int)candidate.Goal);
        if (candidate.Goal == CandidateGoal.Standby)
            PutTime(candidate.Since + Catalogue.Settings.StandbyLimit);
        if (_state.Named(candidate.Ref.Name) is not { Fact: { StartedAt: { } start } fact })
            return;
        Put(start < candidate.Since ? 1 : 0);
        if (!fact.IsReady && fact.State == ContainerState.Running)
            PutTime((start > candidate.Since ? start : candidate.Since) + TimeSpan.FromMinutes(2));
    }

    private void PutActive(Journal journal)
    {
        if (journal.Active is not { } active || _state.Named(active.Ref.Name) is not { } container)
            return;
        var fact = container.Fact;
        Put(Bits(active.VerifiedId == fact.Id, active.VerifiedStart == fact.StartedAt, fact.FinishedAt is not null && fact.FinishedAt - fact.StartedAt >= Catalogue.Settings.GoodRun));
        if (journal.Crashes is not { } crashes)
            return;
        Put(crashes.Count, crashes.LastExit == fact.FinishedAt ? 1 : 0);
        PutTime(crashes.BackoffUntil);
        if (fact.StartedAt is { } start && fact.FinishedAt is null)
            PutTime(start + Catalogue.Settings.GoodRun);
    }

    private void PutContainer(ModelContainer container)
    {
        var fact = container.Fact;
        PutRef(fact.Ref);
        Put((int)fact.State, (int)fact.Verdict.State, Bits(fact.ExitedByItself, fact.Verdict.EverReady, fact.Verdict.LastFailure is not null, container.IsWell, container.CutAt is not null));
        if (container.CutAt is { } cutAt)
            PutTime(cutAt);
        if (!_state.Journal.NeedsAdoption)
            return;
        Put(_state.Containers.Count(c => c.Fact.StartedAt < fact.StartedAt), _state.Containers.Count(c => c.Fact.FinishedAt < fact.FinishedAt));
    }

    private void PutProxy()
    {
        Put(_state.Proxy is null ? 0 : _state.Proxy.Snapshot is null ? 1 : 2);
        if (_state.Proxy is not { } proxy)
            return;
        PutFence(proxy.Fence);
        PutGeneration(proxy.Generation);
        PutTarget(proxy.Target);
        PutTarget(proxy.Standby);
        Put(proxy.Snapshot?.Maintenance is null ? 0 : 1);
    }

    private void PutTarget(Target? target)
    {
        Put(target is null ? 255 : PositionOf(target.ContainerId), target is null ? 255 : Catalogue.IndexOf(target.Release));
        if (target is not null && _state.Find(target.ContainerId) is { } container)
            Put(Bits(container.Fact.StartedAt == target.StartedAt, container.Fact.Address == target.Address));
    }

    private void PutCall(Call call)
    {
        PutEffect(call.Effect);
        Put(call.IsFenced ? 1 : 0);
        if (FenceOf(call.Effect) is { } fence)
            PutFence(fence);
        if (SnapshotOf(call.Effect) is not { } snapshot)
            return;
        PutGeneration(snapshot.Generation);
        PutTarget(snapshot.Target);
        PutTarget(snapshot.Standby?.Target);
        Put(snapshot.Maintenance is null ? 0 : 1);
    }

    private void PutFailure(EffectFailure failure)
    {
        var candidates = 0;
        foreach (var candidate in _state.Journal.Candidates)
            candidates = (candidates << 1) | (failure.At >= candidate.Since ? 1 : 0);
        var active = _state.Journal.Active is { } a && failure.At >= a.Since;
        var intent = _state.Journal.Switch is { } s && failure.At >= s.At;
        PutEffect(failure.Effect);
        Put((int)failure.Outcome, candidates, Bits(active, intent));
        PutTime(failure.RetryAt);
    }

    private void PutEffect(Effect effect)
    {
        Put(effect switch
        {
            Effect.Pull pull => 16 + Catalogue.IndexOf(pull.Hash),
            Effect.RemoveImage remove => 32 + remove.Reference[^1],
            Effect.Create => 1,
            Effect.Start => 2,
            Effect.Stop stop => stop.MustBeIdle ? 3 : 7,
            Effect.Remove => 4,
            Effect.Route => 5,
            Effect.RaiseFence => 6,
            Effect.Show => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(effect), effect, "Not an effect."),
        });
        PutRef(ContainerOf(effect));
        if (IdOf(effect) is { } id)
            Put(PositionOf(id));
    }

    // What is gone is gone, whatever it was.
    private int PositionOf(string id)
    {
        for (var i = 0; i < _state.Containers.Count; i++)
        {
            if (_state.Containers[i].Fact.Id == id)
                return i;
        }

        return 254;
    }

    private void PutRef(ContainerRef? container) => Put(container is null ? 255 : (_incarnations.IndexOf(container.Incarnation) * 3) + Catalogue.IndexOf(container.Hash));

    private void PutFence(long fence) => PutRank(_fences, fence);

    private void PutGeneration(long generation) => PutRank(_generations, generation);

    private void PutRank(List<long> values, long value) => Put(values.IndexOf(value));

    // Rounded up: what happened at the same moment, give or take the ticks that moves take, is due at the same moment.
    private void PutTime(DateTimeOffset time)
    {
        var left = time <= _state.Now ? 0 : (int)Math.Ceiling((time - _state.Now).TotalMilliseconds);
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(_length), left);
        _length += sizeof(int);
    }

    private void Put(params ReadOnlySpan<int> values)
    {
        foreach (var value in values)
            _bytes[_length++] = (byte)value;
    }

    private static int Bits(params ReadOnlySpan<bool> bits)
    {
        var sum = 0;
        foreach (var bit in bits)
            sum = (sum << 1) | (bit ? 1 : 0);
        return sum;
    }
}
