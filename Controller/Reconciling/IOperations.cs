using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Desired;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>What the admin API may ask of the reconciler. Each call returns once the decision is on disk, not once it is done.</summary>
internal interface IOperations
{
    /// <summary>The latest status; costs nothing and asks nobody.</summary>
    StatusDocument Status { get; }

    /// <summary>Ends when there is another status, which may be equal. It costs nothing while nobody waits for it.</summary>
    Task NextStatus { get; }

    /// <summary>Why the plan decided as it did last. The rules are tried once more, on what it was decided by.</summary>
    PlanExplanation Explain();

    /// <summary>Whether the reconciler's loop is alive: it ended a pass, or waited for a reason to begin one, within the last 30 s.</summary>
    bool IsAlive { get; }

    /// <summary>Adds a standby release: it is started and checked, without traffic.</summary>
    /// <param name="hash">Hash of a published configuration, or the beginning of one; already checked to be 4 to 64 lower-case hex digits.</param>
    /// <param name="cancellationToken">Ends the wait; what was accepted stays accepted.</param>
    Task<Admission> LaunchAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Pins this host to a release; where it isn't launched yet it is started and checked first.</summary>
    /// <param name="hash">As for <see cref="LaunchAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait; what was accepted stays accepted.</param>
    Task<Admission> SwitchAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Withdraws every deployment that is under way; what serves, serves on.</summary>
    Task<Admission> AbortAsync(CancellationToken cancellationToken);

    /// <summary>Tries the latest deployment again, which didn't succeed.</summary>
    Task<Admission> RetryAsync(CancellationToken cancellationToken);

    /// <summary>Puts maintenance up or down.</summary>
    Task<Admission> SetMaintenanceAsync(bool up, CancellationToken cancellationToken);

    /// <summary>Pauses traffic, or lets it go on.</summary>
    Task<Admission> SetPausedAsync(bool isPaused, CancellationToken cancellationToken);

    /// <summary>Takes the host out of service, for all applications of its Proxy, or brings it back. The Proxy keeps it.</summary>
    Task<Admission> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken);

    /// <summary>Ends the drain of replaced releases, or gives them more time. The Proxy does it at once.</summary>
    /// <param name="order">Already checked: it says one of both, and the hash can be one.</param>
    /// <param name="cancellationToken">Ends the wait; it may have happened, or may still.</param>
    Task<DrainOutcome> LimitDrainAsync(DrainOrder order, CancellationToken cancellationToken);

    /// <summary>Reads from the store what was deployed, and by whom.</summary>
    /// <exception cref="HistoryException">It couldn't be read; the message says why.</exception>
    Task<History> ReadHistoryAsync(CancellationToken cancellationToken);

    /// <summary>Gives the release that stands by a share of the clients, until the switch.</summary>
    /// <param name="percent">Percent of the clients, 0 to 100; 0 ends it.</param>
    /// <param name="cancellationToken">Ends the wait; what was accepted stays accepted.</param>
    Task<Admission> SetCanaryAsync(int percent, CancellationToken cancellationToken);

    /// <summary>Waits until a deployment has ended, or the token is cancelled.</summary>
    /// <returns>Its latest state; <see langword="null"/> if there is no such deployment.</returns>
    Task<DeploymentStatus?> WaitForEndAsync(string deploymentId, CancellationToken cancellationToken);
}

/// <summary>Whether an order was accepted.</summary>
internal abstract record Admission
{
    private Admission()
    {
    }

    /// <summary>It is on disk and will end by its deadline.</summary>
    /// <param name="Deployment">Absent for an order that was done at once, such as maintenance.</param>
    public sealed record Accepted(DeploymentStatus? Deployment) : Admission;

    /// <summary>It wasn't taken; nothing changed.</summary>
    /// <param name="Refusal">The kind, which decides the HTTP status.</param>
    /// <param name="Message">What was wrong, on what, what still holds, what to do.</param>
    public sealed record Refused(Refusal Refusal, string Message) : Admission;
}

/// <summary>Why an order wasn't taken.</summary>
internal enum Refusal
{
    /// <summary>No configuration of that hash is published (404).</summary>
    UnknownHash,

    /// <summary>The document isn't what its name says, or isn't a valid configuration (422).</summary>
    InvalidConfiguration,

    /// <summary>The present state forbids it (409).</summary>
    Conflict,

    /// <summary>The store isn't reached and the configuration isn't here (503).</summary>
    StoreUnavailable,

    /// <summary>The decision, or the configuration that it names, couldn't be written to disk (507).</summary>
    NotDurable,

    /// <summary>The Proxy wasn't reached, or its answer isn't known (503).</summary>
    ProxyUnavailable,
}

/// <summary>What became of an order about drains.</summary>
internal abstract record DrainOutcome
{
    private DrainOutcome()
    {
    }

    /// <summary>It holds from now on.</summary>
    /// <param name="Releases">The releases that it was about, as they are now.</param>
    public sealed record Done(IReadOnlyList<TargetTraffic> Releases) : DrainOutcome;

    /// <summary>It wasn't taken, or nobody knows.</summary>
    /// <param name="Refusal">The kind, which decides the HTTP status.</param>
    /// <param name="Message">What was wrong, what still holds, what to do.</param>
    public sealed record Refused(DrainRefusal Refusal, string Message) : DrainOutcome;
}

/// <summary>Why an order about drains wasn't taken.</summary>
internal enum DrainRefusal
{
    /// <summary>No such release drains (409).</summary>
    NotDraining,

    /// <summary>The Proxy wasn't reached, or its answer isn't known (503).</summary>
    ProxyUnavailable,
}
