using System.Collections.Concurrent;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>Takes orders as the test says; a deployment ends when the test ends it.</summary>
internal sealed class FakeOperations : IOperations
{
    public static readonly string Hash = new('a', 64);

    public static readonly DeploymentStatus Running = new()
    {
        Id = "d1",
        Kind = DeploymentKind.Launch,
        Hash = Hash,
        Revision = "2f1c9e0",
        AcceptedAt = DateTimeOffset.UnixEpoch,
        Deadline = DateTimeOffset.UnixEpoch.AddMinutes(10),
    };

    private readonly TaskCompletionSource<DeploymentStatus> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ConcurrentQueue<string> Orders { get; } = [];

    public SemaphoreSlim Waits { get; } = new(0);

    public StatusDocument Status
    {
        get;
        set
        {
            field = value;
            Interlocked.Exchange(ref _next, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }
    = new()
    {
        Requests = 7,
        TotalTime = 1.5,
        States = new Dictionary<string, long> { ["active"] = 1 },
        HeapSize = 1024,
        MaintenanceMode = false,
        DockerState = "Ok",
        Application = "shop",
        Installation = "i1",
        Version = "0.1.0",
        At = DateTimeOffset.UnixEpoch,
        Active = Hash,
        Releases = [new ReleaseStatus { Hash = Hash, Revision = "2f1c9e0", Phase = ReleasePhase.Active }],
        Plan = new PlanStatus("Settled", "Nothing is to be done.", null, []),
    };

    /// <summary>Times that somebody has asked for the next status.</summary>
    public int Askings { get; private set; }

    public Task NextStatus
    {
        get
        {
            Askings++;
            return _next.Task;
        }
    }

    public bool IsAlive { get; set; } = true;

    public History History { get; set; } = History.Empty;

    public DrainOutcome Drained { get; set; } = new DrainOutcome.Done([]);

    public PlanExplanation Explanation { get; set; } = new() { At = DateTimeOffset.UnixEpoch, Row = "Settled", Reason = "Nothing is to be done." };

    public Admission Admission { get; set; } = new Admission.Accepted(Running);

    public Exception? Error { get; set; }

    /// <summary>What comes of the next orders.</summary>
    public Action WhenOrdered { get; set; } = () => { };

    public void End(DeploymentEnd end, FailureEvidence? failure = null, DeploymentKind kind = DeploymentKind.Launch) =>
        _ended.SetResult(Running with { Kind = kind, End = end, Failure = failure, ContainerId = "1a2b3c4d5e6f", Port = 9292, Message = end.ToString() });

    public Task<Admission> LaunchAsync(string hash, CancellationToken cancellationToken) => Order($"launch {hash}");

    public Task<Admission> SwitchAsync(string hash, CancellationToken cancellationToken) => Order($"switch {hash}");

    public Task<Admission> SetMaintenanceAsync(bool up, CancellationToken cancellationToken) => Order($"maintenance {up}");

    public Task<Admission> SetCanaryAsync(int percent, CancellationToken cancellationToken)
    {
        Status = Status with { Canary = percent == 0 ? null : new CanaryStatus(Status.Canary?.Hash ?? Hash, percent) };
        return Order($"canary {percent}");
    }

    public Task<Admission> SetPausedAsync(bool isPaused, CancellationToken cancellationToken) => Order($"pause {isPaused}");

    public Task<Admission> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => Order($"host drain {isDrained}");

    public Task<Admission> AbortAsync(CancellationToken cancellationToken) => Order("abort");

    public Task<Admission> RetryAsync(CancellationToken cancellationToken) => Order("retry");

    public PlanExplanation Explain() => Explanation;

    public Task<DrainOutcome> LimitDrainAsync(DrainOrder order, CancellationToken cancellationToken)
    {
        Orders.Enqueue($"drain {order.Hash} {(order.End ? "end" : order.Extend)}");
        return Error is null ? Task.FromResult(Drained) : Task.FromException<DrainOutcome>(Error);
    }

    public Task<History> ReadHistoryAsync(CancellationToken cancellationToken) => Error is null ? Task.FromResult(History) : Task.FromException<History>(Error);

    public async Task<DeploymentStatus?> WaitForEndAsync(string deploymentId, CancellationToken cancellationToken)
    {
        if (deploymentId != Running.Id)
        {
            return null;
        }

        Waits.Release();
        await Task.WhenAny(_ended.Task, Task.Delay(Timeout.Infinite, cancellationToken));
        return _ended.Task.IsCompleted ? await _ended.Task : Running;
    }

    private Task<Admission> Order(string order)
    {
        Orders.Enqueue(order);
        WhenOrdered();
        return Error is null ? Task.FromResult(Admission) : Task.FromException<Admission>(Error);
    }
}
