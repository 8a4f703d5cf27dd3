using System.Text.Json;
using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Control;

/// <summary>Decides which snapshots and fences are taken, writes them to disk, and then serves by them.</summary>
/// <remarks>
/// Decision, write and exchange are one step under a lock. The probe of a new target is outside of it, so that a fence is never held up
/// by a slow target; after the probe everything is decided anew.
/// </remarks>
internal sealed partial class ApplicationRegistry(
    TargetTable table, IApplicationRecords state, TargetProbe probe, ILogger<ApplicationRegistry> logger) : IDisposable
{
    private readonly SemaphoreSlim _deciding = new(1);
    private readonly Dictionary<string, ApplicationRecord> _records = [];

    /// <summary>Serves by what was written before.</summary>
    public void Load()
    {
        foreach (var record in state.Load())
        {
            _records.Add(record.Application, record);
            if (record.Snapshot is { } snapshot)
            {
                table.Serve(snapshot);
                SnapshotLoaded(record.Application, snapshot.Target?.Revision, snapshot.Target?.Address, snapshot.Generation, record.Fence);
            }
        }
    }

    /// <summary>States of all applications.</summary>
    public Task<IReadOnlyList<ApplicationState>> StatesAsync(CancellationToken cancellationToken) =>
        UndisturbedAsync<IReadOnlyList<ApplicationState>>(() => [.. _records.Values.Select(StateOf)], cancellationToken);

    /// <summary>State of one application.</summary>
    /// <returns><see langword="null"/> if it isn't known.</returns>
    public async Task<ApplicationState?> StateAsync(string application, CancellationToken cancellationToken) =>
        (await StatesAsync(cancellationToken)).FirstOrDefault(state => state.Application == application);

    /// <summary>How the traffic of an application went lately.</summary>
    /// <param name="application">The application.</param>
    /// <param name="since">Unix time in seconds, from which it is wanted.</param>
    /// <returns><see langword="null"/> if it isn't known, or only a fence of it is.</returns>
    public Task<RecentTraffic?> RecentAsync(string application, long since, CancellationToken cancellationToken) =>
        UndisturbedAsync(() => table.ReportRecent(application, since), cancellationToken);

    /// <summary>What was counted of each release of an application.</summary>
    /// <returns><see langword="null"/> if it isn't known, or only a fence of it is.</returns>
    public Task<TrafficTotals?> TotalsAsync(string application, CancellationToken cancellationToken) =>
        UndisturbedAsync(() => table.ReportTotals(application), cancellationToken);

    /// <summary>Takes a snapshot, or says why not.</summary>
    public async Task<ControlAnswer> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken)
    {
        List<Target> healthy = [];
        while (true)
        {
            var (answer, target) = await TryApplyAsync(snapshot, healthy, cancellationToken);
            if (answer is not null)
            {
                return answer;
            }

            if (await probe.FindFailureAsync(target!, cancellationToken) is { } failure)
            {
                return await UnhealthyAsync(snapshot.Application, target!, failure, cancellationToken);
            }

            healthy.Add(target!);
        }
    }

    /// <summary>Raises the fence of an application, or says why not.</summary>
    public async Task<ControlAnswer> RaiseFenceAsync(string application, FenceRequest request, CancellationToken cancellationToken)
    {
        await _deciding.WaitAsync(cancellationToken);
        try
        {
            var record = _records.GetValueOrDefault(application);
            if (RefuseOwner(record, request.Installation) is { } foreign)
            {
                return foreign;
            }

            if (record?.Snapshot?.Target is { } target && target.ContainerId == request.NotTarget)
            {
                return Refuse(record, ControlProblem.IsTarget, $"Container {request.NotTarget} is the target of '{application}'; the fence stays {record.Fence}.");
            }

            if (record?.Snapshot?.Standby is { } standby && standby.Target.ContainerId == request.NotTarget)
            {
                return Refuse(record, ControlProblem.IsTarget, $"Container {request.NotTarget} stands by for '{application}' and gets requests; the fence stays {record.Fence}.");
            }

            if (request.Fence <= record?.Fence)
            {
                return Refuse(record, ControlProblem.StaleFence, $"Fence {request.Fence} is not newer than {record.Fence}.");
            }

            if (request.MustBeIdle && record is not null && IsInUse(application, request.NotTarget))
            {
                return Refuse(record, ControlProblem.InUse, $"Requests still run on container {request.NotTarget}; the fence stays {record.Fence}.");
            }

            record ??= new ApplicationRecord { Application = application, Installation = request.Installation, Fence = request.Fence };
            return Keep(record with { Fence = request.Fence });
        }
        finally
        {
            _deciding.Release();
        }
    }

    /// <summary>Whether an application may be spoken for.</summary>
    /// <returns>Why not; absent: it may, for it belongs to that installation or isn't known yet.</returns>
    public async Task<ControlProblem?> RefuseOwnerAsync(string application, string installation, CancellationToken cancellationToken)
    {
        await _deciding.WaitAsync(cancellationToken);
        try
        {
            return RefuseOwner(_records.GetValueOrDefault(application), installation)?.Problem;
        }
        finally
        {
            _deciding.Release();
        }
    }

    /// <summary>Ends the drain of replaced targets, or gives it other limits, or says why not.</summary>
    /// <returns><see langword="null"/> if the application isn't known.</returns>
    public async Task<ControlAnswer?> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken)
    {
        await _deciding.WaitAsync(cancellationToken);
        try
        {
            if (!_records.TryGetValue(application, out var record))
            {
                return null;
            }

            return RefuseOwner(record, request.Installation) ?? LimitDrain(record, request);
        }
        finally
        {
            _deciding.Release();
        }
    }

    /// <summary>Forgets an application, its fence included; what runs on its target drains.</summary>
    /// <returns><see langword="null"/> if it isn't known.</returns>
    public async Task<ControlAnswer?> ForgetAsync(string application, string installation, CancellationToken cancellationToken)
    {
        await _deciding.WaitAsync(cancellationToken);
        try
        {
            if (!_records.TryGetValue(application, out var record))
            {
                return null;
            }

            return RefuseOwner(record, installation) ?? Forget(record);
        }
        finally
        {
            _deciding.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _deciding.Dispose();

    private async Task<T> UndisturbedAsync<T>(Func<T> look, CancellationToken cancellationToken)
    {
        await _deciding.WaitAsync(cancellationToken);
        try
        {
            return look();
        }
        finally
        {
            _deciding.Release();
        }
    }

    // Either an answer, or a target that has to be probed first.
    private async Task<(ControlAnswer? Answer, Target? ToProbe)> TryApplyAsync(ApplicationSnapshot snapshot, IReadOnlyList<Target> healthy, CancellationToken cancellationToken)
    {
        await _deciding.WaitAsync(cancellationToken);
        try
        {
            var record = _records.GetValueOrDefault(snapshot.Application);
            if (Refuse(record, snapshot) is { } refusal)
            {
                return (refusal, null);
            }

            if (record?.Snapshot is { } served && served.Generation == snapshot.Generation)
            {
                return (new ControlAnswer.Accepted(StateOf(record)), null);
            }

            if (NewTargets(record, snapshot).Except(healthy).FirstOrDefault() is { } unknown)
            {
                return (null, unknown);
            }

            return (Keep(new ApplicationRecord
            {
                Application = snapshot.Application,
                Installation = snapshot.Installation,
                Fence = Math.Max(record?.Fence ?? snapshot.Fence, snapshot.Fence),
                Snapshot = snapshot,
            }), null);
        }
        finally
        {
            _deciding.Release();
        }
    }

    private ControlAnswer.Refused? Refuse(ApplicationRecord? record, ApplicationSnapshot snapshot)
    {
        if (RefuseOwner(record, snapshot.Installation) is { } foreign)
        {
            return foreign;
        }

        if (RefuseClaim(record, snapshot) is { } claimed)
        {
            return claimed;
        }

        if (record is null)
        {
            return null;
        }

        if (record.Snapshot is { } served && IsStale(snapshot, served))
        {
            return Refuse(record, ControlProblem.StaleGeneration, snapshot.Generation == served.Generation
                ? $"Generation {snapshot.Generation} is served with another content."
                : $"Generation {snapshot.Generation} is older than {served.Generation}, which is served.");
        }

        return IsRepeated(record, snapshot) || snapshot.Fence > record.Fence || (!MovesTraffic(record, snapshot) && !NewTargets(record, snapshot).Any())
            ? null
            : Refuse(record, ControlProblem.StaleFence, $"Fence {snapshot.Fence} is not newer than {record.Fence}, so it may not move traffic to another target.");
    }

    private ControlAnswer.Refused? RefuseClaim(ApplicationRecord? record, ApplicationSnapshot snapshot)
    {
        foreach (var other in _records.Values.Where(other => other.Application != snapshot.Application))
        {
            if (other.Snapshot?.Routing.SharedWith(snapshot.Routing) is { } shared)
            {
                return Refuse(record, ControlProblem.ClaimedByOther,
                    $"Application '{snapshot.Application}' may not have {shared}: application '{other.Application}' of installation '{other.Installation}' has it. Set Routing.Hosts or Routing.PathPrefix of one of them.");
            }
        }

        return null;
    }

    private ControlAnswer.Refused? RefuseOwner(ApplicationRecord? record, string installation) =>
        record is not null && record.Installation != installation
            ? Refuse(record, ControlProblem.ClaimedByOther, $"Application '{record.Application}' belongs to installation '{record.Installation}'.")
            : null;

    private static bool IsStale(ApplicationSnapshot snapshot, ApplicationSnapshot served) =>
        snapshot.Generation < served.Generation || (snapshot.Generation == served.Generation && !IsSame(snapshot, served));

    private static bool IsRepeated(ApplicationRecord record, ApplicationSnapshot snapshot) => record.Snapshot?.Generation == snapshot.Generation;

    private static bool MovesTraffic(ApplicationRecord? record, ApplicationSnapshot snapshot) =>
        record?.Snapshot?.Target is { } current ? !current.IsSameAs(snapshot.Target) : snapshot.Target is not null;

    // Those that requests would go to, or move to.
    private static IEnumerable<Target> NewTargets(ApplicationRecord? record, ApplicationSnapshot snapshot)
    {
        if (MovesTraffic(record, snapshot) && snapshot.Target is { } target)
        {
            yield return target;
        }

        if (snapshot.Standby is { Target: var standby } && !standby.IsSameAs(record?.Snapshot?.Target) && !standby.IsSameAs(record?.Snapshot?.Standby?.Target))
        {
            yield return standby;
        }
    }

    private static bool IsSame(ApplicationSnapshot one, ApplicationSnapshot other) => Bytes(one).AsSpan().SequenceEqual(Bytes(other));

    private static byte[] Bytes(ApplicationSnapshot snapshot) => JsonSerializer.SerializeToUtf8Bytes(snapshot, ContractsJson.Default.ApplicationSnapshot);

    private ControlAnswer Keep(ApplicationRecord record)
    {
        var former = _records.GetValueOrDefault(record.Application);
        try
        {
            state.Write(record);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotPersisted(record.Application, e.Message);
            return Refuse(former, ControlProblem.NotPersisted, $"The state of '{record.Application}' couldn't be written, so nothing changed: {e.Message}");
        }

        _records[record.Application] = record;
        if (record.Snapshot is { } snapshot && !ReferenceEquals(snapshot, former?.Snapshot))
        {
            table.Serve(snapshot);
            if (MovesTraffic(former, snapshot))
            {
                Switched(record.Application, former?.Snapshot?.Target?.Revision, snapshot.Target?.Revision, snapshot.Target?.Address, snapshot.Generation, record.Fence);
            }

            TellStandby(record.Application, former?.Snapshot?.Standby, snapshot);
        }

        return new ControlAnswer.Accepted(StateOf(record));
    }

    private void TellStandby(string application, Standby? former, ApplicationSnapshot snapshot)
    {
        if (snapshot.Standby is { } next)
        {
            if (!next.Target.IsSameAs(former?.Target) || next.Canary?.Percent != former?.Canary?.Percent)
            {
                StandbyShown(application, next.Target.Revision, next.Target.Address, next.Canary?.Percent ?? 0);
            }
        }
        else if (former is not null && !former.Target.IsSameAs(snapshot.Target))
        {
            StandbyWithdrawn(application, former.Target.Revision);
        }
    }

    private ControlAnswer LimitDrain(ApplicationRecord record, DrainRequest request)
    {
        var (plain, stream) = request.End ? (TimeSpan.Zero, TimeSpan.Zero) : (request.DrainTimeout, request.StreamDrainTimeout);
        if (!table.TryLimit(record.Application, request.ContainerId, plain, stream))
        {
            return Refuse(record, ControlProblem.NotDraining, request.ContainerId is { } id
                ? $"Container {id} of '{record.Application}' is not draining."
                : $"No container of '{record.Application}' is draining.");
        }

        DrainLimited(record.Application, request.ContainerId, plain?.TotalSeconds, stream?.TotalSeconds);
        return new ControlAnswer.Accepted(StateOf(record));
    }

    private ControlAnswer Forget(ApplicationRecord record)
    {
        var last = StateOf(record);
        try
        {
            state.Remove(record.Application);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            NotPersisted(record.Application, e.Message);
            return Refuse(record, ControlProblem.NotPersisted, $"The state of '{record.Application}' couldn't be removed, so it is served on: {e.Message}");
        }

        _records.Remove(record.Application);
        if (record.Snapshot is { } snapshot)
        {
            table.Forget(record.Application, snapshot);
        }

        Forgotten(record.Application);
        return new ControlAnswer.Accepted(last);
    }

    private async Task<ControlAnswer> UnhealthyAsync(string application, Target target, string failure, CancellationToken cancellationToken)
    {
        var current = await StateAsync(application, cancellationToken);
        SwitchRefused(application, target.Revision, target.Address, failure);
        return ControlAnswer.Refuse(
            ControlProblem.TargetUnhealthy, $"Target {target.Address} (release '{target.Revision}') was not taken: {failure}.", current);
    }

    private bool IsInUse(string application, string containerId) =>
        table.ReportTargets(application).Any(t => t.Target.ContainerId == containerId && t.InFlight + t.Streams > 0);

    private ControlAnswer.Refused Refuse(ApplicationRecord? record, string type, string detail) =>
        ControlAnswer.Refuse(type, detail, record is null ? null : StateOf(record));

    private ApplicationState StateOf(ApplicationRecord record) => new()
    {
        Application = record.Application,
        Installation = record.Installation,
        Generation = record.Snapshot?.Generation ?? 0,
        Fence = record.Fence,
        Routing = record.Snapshot?.Routing ?? new Routing(),
        Target = record.Snapshot?.Target,
        Standby = record.Snapshot?.Standby is { } standby ? new StandbyState { Target = standby.Target, Percent = standby.Canary?.Percent ?? 0 } : null,
        Maintenance = record.Snapshot?.Maintenance is not null,
        IsPaused = record.Snapshot is { IsPaused: true },
        Waiting = table.CountWaiting(record.Application),
        Queued = table.CountQueued(record.Application),
        Targets = table.ReportTargets(record.Application),
        Total = table.ReportTotal(record.Application),
    };

    [LoggerMessage(410, LogLevel.Information, "Serving {Application} by its last snapshot: release {Revision} at {Address}, generation {Generation}, fence {Fence}")]
    private partial void SnapshotLoaded(string application, string? revision, string? address, long generation, long fence);

    [LoggerMessage(411, LogLevel.Information, "Switched {Application} from release {FromRevision} to {Revision} at {Address}, generation {Generation}, fence {Fence}")]
    private partial void Switched(string application, string? fromRevision, string? revision, string? address, long generation, long fence);

    [LoggerMessage(412, LogLevel.Warning, "Refused to switch {Application} to release {Revision} at {Address}: {Failure}")]
    private partial void SwitchRefused(string application, string revision, string address, string failure);

    [LoggerMessage(413, LogLevel.Error, "State of {Application} could not be written, served on as before: {Reason}")]
    private partial void NotPersisted(string application, string reason);

    [LoggerMessage(414, LogLevel.Information, "Forgot {Application}")]
    private partial void Forgotten(string application);

    [LoggerMessage(415, LogLevel.Information, "Drain of {Application} was limited by order: container {ContainerId}, plain requests {PlainSeconds} s, streams {StreamSeconds} s from now")]
    private partial void DrainLimited(string application, string? containerId, double? plainSeconds, double? streamSeconds);

    [LoggerMessage(416, LogLevel.Information, "Began to send previews and {Percent} % of the clients of {Application} to release {Revision} at {Address}, which stands by")]
    private partial void StandbyShown(string application, string revision, string address, int percent);

    [LoggerMessage(417, LogLevel.Information, "Withdrew release {Revision} of {Application}, which stood by")]
    private partial void StandbyWithdrawn(string application, string revision);
}
