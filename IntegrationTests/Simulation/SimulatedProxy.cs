using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Proxy.Control;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The real registry and target table of the Proxy, over a simulated disk, network and clock.</summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "A process that ends disposes nothing.")]
internal sealed class SimulatedProxy(VirtualThread thread, WallClock wall, Way way, Func<TimeProvider, HttpMessageHandler> connect, Story story)
{
    private readonly Records _records = new();
    private Life? _life;
    private ApplicationRegistry? _registry;
    private DateTimeOffset _startedAt;
    private int _pid = 100;

    public bool IsUp => _life is { IsOver: false };

    /// <summary>What it serves; only while it is up.</summary>
    public TargetTable Table { get; private set; } = null!;

    /// <summary>Whether its disk takes no writes.</summary>
    public bool DiskIsFull
    {
        set => _records.IsFull = value;
    }

    /// <summary>Changes of what it keeps.</summary>
    public int Writes => _records.Writes;

    /// <summary>The record that it keeps, which it serves by, or will after a restart.</summary>
    public ApplicationRecord? Record => _records.Load() is [var only, ..] ? only : null;

    public Action<ApplicationRecord?, ApplicationRecord> Writing
    {
        set => _records.Writing = value;
    }

    public void Start()
    {
        _life = new Life(thread, "Proxy");
        var time = new VirtualTime(thread, _life, wall);
        Table = new TargetTable(() => [], time);
        _registry = new ApplicationRegistry(Table, _records, new TargetProbe(time, () => connect(time)), story.CreateLogger<ApplicationRegistry>());
        _startedAt = time.GetUtcNow();
        _pid++;
        _registry.Load();
        way.IsUp = true;
    }

    public void Crash()
    {
        _life?.End();
        way.IsUp = false;
        way.Epoch++;
    }

    public Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot) => InLifeAsync<ApplyOutcome>(async registry =>
        SnapshotRules.Mistakes(snapshot.Application, snapshot).ToList() is { Count: > 0 } mistakes
            ? throw new PromiseBrokenException($"The Controller sent a bad snapshot: {string.Join(' ', mistakes)}")
            : await registry.ApplyAsync(snapshot, default) switch
            {
                ControlAnswer.Accepted accepted => new ApplyOutcome.Applied(accepted.State),
                ControlAnswer.Refused refused => new ApplyOutcome.Refused(refused.Problem),
                var other => throw new InvalidOperationException($"{other} is no answer."),
            });

    public Task<FenceOutcome> FenceAsync(string application, FenceRequest request) => InLifeAsync<FenceOutcome>(async registry =>
        await registry.RaiseFenceAsync(application, request, default) switch
        {
            ControlAnswer.Accepted accepted => new FenceOutcome.Fenced(accepted.State),
            ControlAnswer.Refused refused => new FenceOutcome.Refused(refused.Problem),
            var other => throw new InvalidOperationException($"{other} is no answer."),
        });

    public Task<ProxyStatus> StatusAsync() => InLifeAsync(async registry => new ProxyStatus
    {
        Version = "simulated",
        ProcessId = _pid,
        StartedAt = _startedAt,
        HeapSizeBytes = 0,
        Applications = await registry.StatesAsync(default),
    });

    /// <summary>Where its life ends meanwhile, this never does.</summary>
    private Task<T> InLifeAsync<T>(Func<ApplicationRegistry, Task<T>> act)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var registry = _registry!;
        thread.Start(_life!, async () =>
        {
            try
            {
                done.SetResult(await act(registry));
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    /// <summary>What survives the Proxy. The real files keep a record whole or not at all, which their own tests show.</summary>
    private sealed class Records : IApplicationRecords
    {
        private readonly Dictionary<string, ApplicationRecord> _records = new(StringComparer.Ordinal);

        public bool IsFull { get; set; }

        public int Writes { get; private set; }

        public Action<ApplicationRecord?, ApplicationRecord> Writing { get; set; } = (_, _) => { };

        public IReadOnlyList<ApplicationRecord> Load() => [.. _records.Values];

        public void Write(ApplicationRecord record)
        {
            if (IsFull)
                throw new IOException("No space left on device");
            Writing(_records.GetValueOrDefault(record.Application), record);
            Writes++;
            _records[record.Application] = record;
        }

        public void Remove(string application) => _records.Remove(application);
    }
}

/// <summary>The simulated Proxy as one life of the Controller reaches it.</summary>
internal sealed class UnreliableProxy(SimulatedProxy proxy, Way way, TimeProvider time) : IProxyControl
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10);

    public Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken) => way.CallAsync(
        $"apply generation {snapshot.Generation}, fence {snapshot.Fence}, {snapshot.Target?.Revision} at {snapshot.Target?.Address}{(snapshot.Standby is { } standby ? $", {standby.Target.Revision} stands by" : "")}",
        () => proxy.ApplyAsync(snapshot),
        Long + (snapshot.Target?.Probe.Timeout ?? TimeSpan.Zero) + (snapshot.Standby?.Target.Probe.Timeout ?? TimeSpan.Zero),
        Failure,
        time,
        cancellationToken);

    public Task<FenceOutcome> FenceAsync(string application, FenceRequest request, CancellationToken cancellationToken) =>
        way.CallAsync($"fence {request.Fence}, not {request.NotTarget.TrimStart('c')}", () => proxy.FenceAsync(application, request), Short, Failure, time, cancellationToken);

    public Task<ControlProblem?> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => throw new NotSupportedException("Nobody asks for it in the simulation.");

    public Task<ApplyOutcome> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken) => throw new NotSupportedException("Nobody asks for it in the simulation.");

    public async Task<ApplicationState?> GetStateAsync(string application, CancellationToken cancellationToken) =>
        (await GetStatusAsync(cancellationToken)).Applications.FirstOrDefault(a => a.Application == application);

    public Task<ProxyStatus> GetStatusAsync(CancellationToken cancellationToken) =>
        way.CallAsync("status", proxy.StatusAsync, Short, (_, why) => new ProxyException(ProxyFault.Unreachable, $"The Proxy failed: {why}."), time, cancellationToken);

    private static ProxyException Failure(bool wasSent, string why) => new(wasSent ? ProxyFault.Ambiguous : ProxyFault.Unreachable, $"The Proxy failed: {why}.");
}

/// <summary>Starts the simulated Proxy where it isn't up.</summary>
internal sealed class SimulatedLauncher(SimulatedProxy proxy, Func<bool> canStart, TimeProvider time) : IProxyLauncher
{
    public async Task<bool> EnsureRunningAsync(CancellationToken cancellationToken)
    {
        if (proxy.IsUp)
            return false;
        await Task.Delay(TimeSpan.FromMilliseconds(300), time, cancellationToken);
        if (!canStart())
            throw new ProxyLaunchException("The Proxy ended with exit code 70 before it answered.");
        if (proxy.IsUp)
            return false;
        proxy.Start();
        return true;
    }
}
