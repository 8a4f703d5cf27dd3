using System.Threading.Channels;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Acme;
using Wunderproxy.Controller.Acting;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Metering;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>
/// The loop: observe, let the plan decide, write the journal, begin one effect, and go round again until there is nothing to do but wait. It is the only
/// one that changes the journal. Whatever happens elsewhere only wakes it.
/// </summary>
internal sealed partial class Reconciler(
    Observer observer,
    EngineSession engine,
    CurrentWatcher current,
    EffectRunner runner,
    JournalFile file,
    IContainerEngine calls,
    PlanSettings settings,
    MaintenancePages pages,
    ConfigurationCache configurations,
    CanaryKeys canaryKeys,
    CertificateKeeper? certificates,
    DrainLimits drains,
    HostDrains hostDrains,
    Func<CancellationToken, Task<History>> history,
    ReconcilerCounts counts,
    IReadOnlyList<Func<CancellationToken, Task>> companions,
    WakeUp wakeUp,
    TimeProvider time,
    ILogger<Reconciler> logger) : IReconciler
{
    private const int MaxStepsPerPass = 64;
    private const int MaxWaitingOrders = 64;

    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AliveLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EvidenceLimit = TimeSpan.FromSeconds(1);
    private const int EvidenceLines = 20;

    private readonly Channel<PendingOrder> _orders = Channel.CreateBounded<PendingOrder>(MaxWaitingOrders);
    private readonly DeploymentWaiters _waiters = new();
    private readonly DeploymentLog _deployments = new(logger);
    private readonly ConditionBoard _conditions = new(logger);
    private readonly ClockWatch _clock = new(time);
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Journal _journal = file.Loaded.AsOf(time.GetUtcNow());
    private Observation? _lastSeen;
    private string? _saveFailure;
    private long _lastPass = time.GetTimestamp();
    private TaskCompletionSource? _nextStatus;
    private Decided? _decided;
    private volatile Published _published = new(StatusBuilder.BeforeFirstPass(settings, time.GetUtcNow()), null);

    public StatusDocument Status => _published.Status;

    public Task NextStatus
    {
        get
        {
            var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _nextStatus, next, null) ?? next).Task;
        }
    }

    public Task Started => _started.Task;

    public bool IsAlive => time.GetElapsedTime(Interlocked.Read(ref _lastPass)) < AliveLimit;

    public async Task GetAcquaintedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await calls.GetInfoAsync(cancellationToken);
        }
        catch (Exception e) when (e is EngineException or OperationCanceledException)
        {
            // It is told of when the first look at the engine fails.
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (file.Damage is { } damage)
            LogDamaged(damage);
        counts.Waiting = () => _orders.Reader.Count;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> tasks = [LoopAsync(stop.Token), .. companions.Select(companion => companion(stop.Token))];

        // None of them ends by itself; where one fails for a reason nobody thought of, the process ends and is started again, rather than going on half.
        await Task.WhenAny(tasks);
        Stop();
        await Task.WhenAll(tasks);

        void Stop() => stop.Cancel();
    }

    private async Task LoopAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var began = time.GetTimestamp();
                var lookAgainAt = await PassAsync(cancellationToken);
                counts.PassEnded(time.GetElapsedTime(began));
                Interlocked.Exchange(ref _lastPass, time.GetTimestamp());
                var now = time.GetUtcNow();
                var wait = lookAgainAt is { } at && at - now < Heartbeat ? at - now : Heartbeat;
                await wakeUp.WaitAsync(wait, cancellationToken);
            }
        }
        finally
        {
            await runner.WhenIdleAsync();
        }
    }

    public async Task<Admission> LaunchAsync(string hash, CancellationToken cancellationToken) =>
        await configurations.ResolveAsync(hash, cancellationToken) is var resolution && resolution is Resolution.Found found
            ? await LaunchAsync(found, cancellationToken)
            : Refusals.Of(resolution);

    public async Task<Admission> SwitchAsync(string hash, CancellationToken cancellationToken) =>
        await configurations.ResolveAsync(hash, cancellationToken) is var resolution && resolution is Resolution.Found found
            ? await SubmitAsync(new Order.Switch(found.Hash, found.Configuration.ForceReload), cancellationToken)
            : Refusals.Of(resolution);

    public async Task<Admission> SetMaintenanceAsync(bool up, CancellationToken cancellationToken)
    {
        if (up && Status.Releases.FirstOrDefault(r => r.Hash == Status.Active) is { Address: { } address } active)
            await pages.FetchAsync(address, configurations.Find(active.Hash), cancellationToken);
        return await SubmitAsync(new Order.Maintenance(up), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Admission> SetPausedAsync(bool isPaused, CancellationToken cancellationToken) => SubmitAsync(new Order.Pause(isPaused), cancellationToken);

    /// <inheritdoc/>
    public Task<Admission> AbortAsync(CancellationToken cancellationToken) => SubmitAsync(new Order.Abort(), cancellationToken);

    /// <inheritdoc/>
    public Task<Admission> RetryAsync(CancellationToken cancellationToken) => SubmitAsync(new Order.Retry(), cancellationToken);

    public PlanExplanation Explain()
    {
        var (status, decided) = _published;
        return new PlanExplanation
        {
            At = decided?.At ?? status.At,
            Row = status.Plan.Row,
            Reason = status.Plan.Reason,
            LookAgainAt = status.Plan.LookAgainAt,
            Working = status.Plan.Working,
            Rules = decided is null ? [] : PlanTrace.Of(decided.Seen, decided.Journal, decided.At, settings),
        };
    }

    public Task<Admission> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => hostDrains.SetAsync(isDrained, cancellationToken);

    public Task<DrainOutcome> LimitDrainAsync(DrainOrder order, CancellationToken cancellationToken) => drains.ApplyAsync(order, cancellationToken);

    public Task<History> ReadHistoryAsync(CancellationToken cancellationToken) => history(cancellationToken);

    public async Task<Admission> SetCanaryAsync(int percent, CancellationToken cancellationToken)
    {
        if (percent == 0)
            return await SubmitAsync(new Order.Share(null, null), cancellationToken);
        var status = Status;
        var standbys = status.Releases.Where(r => r.Phase == ReleasePhase.Standby).Select(r => r.Hash).ToList();
        if (standbys.Count == 0)
            return new Admission.Refused(Refusal.Conflict, "No release stands by that could have a share of the clients, and nothing was changed. Launch one first, and wait until it is healthy.");
        var running = new RunningCanary(status.Canary is { } canary && standbys.Contains(canary.Hash) ? canary.Hash : standbys[^1], percent);
        return await WithCanaryKeyAsync(key => new Order.Share(running, key), cancellationToken);
    }

    public Task<DeploymentStatus?> WaitForEndAsync(string deploymentId, CancellationToken cancellationToken) =>
        _waiters.WaitAsync(deploymentId, () => Status.Deployments.FirstOrDefault(d => d.Id == deploymentId), cancellationToken);

    private Task<Admission> LaunchAsync(Resolution.Found found, CancellationToken cancellationToken)
    {
        var order = new Order.Launch(found.Hash);
        return found.Configuration.Canary.Percent is > 0 and var percent
            ? WithCanaryKeyAsync(key => order with { Canary = new RunningCanary(found.Hash, percent), Key = key }, cancellationToken)
            : SubmitAsync(order, cancellationToken);
    }

    // Once it is in the journal, no canary needs the store.
    private async Task<Admission> WithCanaryKeyAsync(Func<SigningKey?, Order> order, CancellationToken cancellationToken)
    {
        try
        {
            return await SubmitAsync(order(_journal.CanaryKey is null ? await canaryKeys.ReadOrMakeAsync(cancellationToken) : null), cancellationToken);
        }
        catch (StoreException exception)
        {
            return new Admission.Refused(
                Refusal.StoreUnavailable, $"The key that the hosts of the application sign canary cookies with can't be had: {exception.Message} Nothing was changed. Order again once the store is there.");
        }
    }

    private async Task<Admission> SubmitAsync(Order order, CancellationToken cancellationToken)
    {
        var pending = new PendingOrder(order);
        await _orders.Writer.WriteAsync(pending, cancellationToken);
        wakeUp.Ring();
        await using var registration = cancellationToken.UnsafeRegister(static (order, token) => ((PendingOrder)order!).Answer.TrySetCanceled(token), pending);
        return await pending.Answer.Task;
    }

    private async Task<DateTimeOffset?> PassAsync(CancellationToken cancellationToken)
    {
        if (_clock.Look() is { } jump)
            MoveTimes(jump, _lastSeen);
        var accepted = AcceptOrders();
        for (var round = 0; ; round++)
        {
            var works = runner.Report with { MaintenancePage = pages.Page };
            var before = _journal;
            var (seen, proxy) = await observer.ObserveAsync(before, works, cancellationToken);
            if (_clock.Look() is { } late)
            {
                // What was noted before moves first, or deadlines would seem to be over.
                MoveTimes(late, seen);
                continue;
            }

            var step = await DecideAsync(seen, cancellationToken);
            if (step.Effect is { } effect)
                runner.Begin(effect, cancellationToken);
            Publish(seen, step, proxy);
            Answer(accepted);

            // What was decided says what has to be looked at now, such as the image of a new candidate: only a round that decided nothing ends in waiting.
            var isSettled = step.IsWait && ReferenceEquals(before, _journal);
            if (isSettled || _saveFailure is not null || round >= MaxStepsPerPass)
                return _saveFailure is null ? step.LookAgainAt : time.GetUtcNow() + TimeSpan.FromSeconds(1);
        }
    }

    /// <summary>Lets the plan decide as far as no effect is needed, and writes the journal once before the effect begins.</summary>
    private async Task<Step> DecideAsync(Observation seen, CancellationToken cancellationToken)
    {
        var journal = _journal;
        Step step;
        var steps = 0;
        do
        {
            _decided = new Decided(seen, journal, _clock.Now);
            step = Plan.Next(seen, journal, _clock.Now, settings);
            LogChose(step.Row, step.Reason);
            if (step.Journal is { } changed)
                journal = step.EvidenceOf is { } evidence ? changed.WithLog(evidence.Hash, await LogTailAsync(evidence.ContainerId, cancellationToken)) : changed;
        }
        while (step.Effect is null && step.Journal is not null && ++steps < MaxStepsPerPass);

        var isDurable = Save(journal);
        return isDurable || step.Effect is Effect.Start ? step : step with { Effect = null };
    }

    // Deadlines, back-offs and probations are lengths of time, so that a clock that is set must neither end nor prolong them.
    private void MoveTimes(ClockJump jump, Observation? seen)
    {
        LogClockSet(jump.By);
        runner.MoveTimes(jump);
        engine.MoveTimes(jump);
        Save(_journal.MovedBy(jump, container => seen?.Containers.ValueOrDefault.FirstOrDefault(c => c.Ref == container && c.IsRunning)?.StartedAt));
    }

    private bool Save(Journal journal)
    {
        if (journal == _journal && _saveFailure is null)
            return true;
        var annotated = journal with { Deployments = _deployments.Annotate(journal.Deployments) };
        try
        {
            file.Save(annotated);
            _journal = annotated;
            _saveFailure = null;
            return true;
        }
        catch (DurableWriteException exception)
        {
            if (_saveFailure is null)
                LogNotSaved(exception.Message);
            _saveFailure = exception.Message;
            return false;
        }
    }

    private List<(PendingOrder Order, Deployment? Deployment)> AcceptOrders()
    {
        var accepted = new List<(PendingOrder, Deployment?)>();
        while (_orders.Reader.TryRead(out var pending))
        {
            if (pending.Order.RefusalIn(_journal) is { } refusal)
            {
                pending.Answer.TrySetResult(new Admission.Refused(Refusal.Conflict, $"{refusal} Nothing was changed."));
                continue;
            }

            var (journal, deployment) = pending.Order.ApplyTo(_journal, _clock.Now, settings);
            if (Save(journal))
                accepted.Add((pending, deployment));
            else
                pending.Answer.TrySetResult(new Admission.Refused(Refusal.NotDurable, $"The order couldn't be written to disk, so it was not taken: {_saveFailure} What runs goes on. Make room there, or let this user write there; then order again."));
        }

        return accepted;
    }

    private void Answer(List<(PendingOrder Order, Deployment? Deployment)> accepted)
    {
        foreach (var (order, deployment) in accepted)
            order.Answer.TrySetResult(new Admission.Accepted(Status.Deployments.FirstOrDefault(d => d.Id == deployment?.Id)));
        accepted.Clear();
    }

    private void Publish(Observation seen, Step step, ProxyStatus? proxy)
    {
        // What the plan took for under way, be it done by now: with the world as it is afterwards the plan may want more.
        IReadOnlyList<Effect> working = step.Effect is { } begun ? [.. seen.Working, begun] : seen.Working;
        var situation = new Situation(Presentable(seen) with { Working = working }, _journal, time.GetUtcNow(), settings);
        situation.Note(step.Reason, step.LookAgainAt);
        _deployments.Note(situation);
        _conditions.Update(Conditions.Of(situation, LinkNow(), current.Reading, file.Damage, _saveFailure).Concat(Conditions.OfService(situation, proxy)).Concat(Conditions.OfCertificates(situation, proxy))
            .Concat(Conditions.OfAutomaticCertificates(situation, certificates?.Report(), certificates?.Failure)));
        _published = new Published(new StatusBuilder(_deployments, _conditions, runner.PullOf).Build(situation, step, proxy, runner.InWords(working), certificates?.Report() ?? []), _decided);
        _started.TrySetResult();
        _waiters.Tell(Status.Deployments.Where(d => d.End is not null));
        Interlocked.Exchange(ref _nextStatus, null)?.TrySetResult();
    }

    // An open event stream alone doesn't tell that the engine answers.
    private EngineLink LinkNow() => observer.EngineSilence is { } silence && engine.Link.IsOpen ? new EngineLink(null, engine.Link.Info, silence) : engine.Link;

    // While the engine is being asked again, what it said last is shown; the plan itself waits for the answer.
    private Observation Presentable(Observation seen)
    {
        if (seen.Containers is Fact<ValueList<ContainerFact>>.Known)
            _lastSeen = seen;
        return engine.Link.IsOpen && _lastSeen is { } last ? seen with { Containers = last.Containers, Images = last.Images } : seen;
    }

    private async Task<IReadOnlyList<string>> LogTailAsync(string containerId, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(EvidenceLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await calls.GetLogTailAsync(containerId, EvidenceLines, either.Token);
        }
        catch (Exception exception) when (exception is EngineException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return [];
        }
    }

    [LoggerMessage(300, LogLevel.Debug, "Chose {Row}: {Reason}")]
    private partial void LogChose(string row, string reason);

    [LoggerMessage(301, LogLevel.Error, "Could not write the state file; nothing irrevocable is begun. {Reason}")]
    private partial void LogNotSaved(string reason);

    [LoggerMessage(302, LogLevel.Warning, "Found the state file damaged and took over what could be read. {Reason}")]
    private partial void LogDamaged(string reason);

    [LoggerMessage(303, LogLevel.Warning, "Found the clock set by {By}; deadlines and pauses moved along")]
    private partial void LogClockSet(TimeSpan by);

    /// <summary>What the plan decided by.</summary>
    private sealed record Decided(Observation Seen, Journal Journal, DateTimeOffset At);

    /// <summary>What those see who ask, and why it is so.</summary>
    private sealed record Published(StatusDocument Status, Decided? By);

    private sealed record PendingOrder(Order Order)
    {
        public TaskCompletionSource<Admission> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
