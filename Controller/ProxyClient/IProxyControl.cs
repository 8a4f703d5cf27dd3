using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.ProxyClient;

/// <summary>The Proxy's control API, typed. Each call has its own deadline; none is repeated here.</summary>
internal interface IProxyControl
{
    /// <summary>Sends the whole snapshot of an application, so that the Proxy serves by it.</summary>
    /// <param name="snapshot">All that the Proxy is to know about the application.</param>
    /// <param name="cancellationToken">Ends the wait only: a snapshot that was sent may still be applied.</param>
    /// <exception cref="ProxyException">The Proxy wasn't reached, or its answer is not known; limit 10 s and the target's probe timeout.</exception>
    Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken);

    /// <summary>Raises the fence and makes sure that a container is not the target.</summary>
    /// <param name="application">Name of the application.</param>
    /// <param name="request">The new fence and the container.</param>
    /// <param name="cancellationToken">Ends the wait only: a fence that was sent may still be raised.</param>
    /// <exception cref="ProxyException">The Proxy wasn't reached, or its answer is not known; limit 2 s.</exception>
    Task<FenceOutcome> FenceAsync(string application, FenceRequest request, CancellationToken cancellationToken);

    /// <summary>Ends the drain of replaced targets, or gives them another limit.</summary>
    /// <param name="application">Name of the application.</param>
    /// <param name="request">Which ones, and what.</param>
    /// <param name="cancellationToken">Ends the wait only: a limit that was sent may still hold.</param>
    /// <exception cref="ProxyException">The Proxy wasn't reached, or its answer is not known; limit 2 s.</exception>
    Task<ApplyOutcome> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken);

    /// <summary>Takes the host out of service, or brings it back.</summary>
    /// <param name="isDrained">Whether it is to be out of service.</param>
    /// <param name="cancellationToken">Ends the wait only: it may still happen.</param>
    /// <returns>Why it couldn't be kept, so that nothing changed; absent: it is so.</returns>
    /// <exception cref="ProxyException">The Proxy wasn't reached, its answer is not known, or it is of a version that can't do it; limit 2 s.</exception>
    Task<ControlProblem?> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken);

    /// <summary>How the Proxy serves an application.</summary>
    /// <param name="application">Name of the application.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><see langword="null"/> if the Proxy knows no application of that name.</returns>
    /// <exception cref="ProxyException"><see cref="ProxyFault.Unreachable"/>: nothing is known; limit 2 s.</exception>
    Task<ApplicationState?> GetStateAsync(string application, CancellationToken cancellationToken);

    /// <summary>The Proxy as a whole.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ProxyException"><see cref="ProxyFault.Unreachable"/>: nothing is known; limit 2 s.</exception>
    Task<ProxyStatus> GetStatusAsync(CancellationToken cancellationToken);
}

/// <summary>What became of a snapshot, or of a limit for drains.</summary>
internal abstract record ApplyOutcome
{
    private ApplyOutcome()
    {
    }

    /// <summary>The Proxy serves by it; a snapshot is on its disk.</summary>
    /// <param name="State">How the Proxy serves now.</param>
    public sealed record Applied(ApplicationState State) : ApplyOutcome;

    /// <summary>The Proxy serves on as before.</summary>
    /// <param name="Problem">Why, as one of the types in <see cref="ControlProblem"/>, with what the Proxy serves.</param>
    public sealed record Refused(ControlProblem Problem) : ApplyOutcome;
}

/// <summary>What became of a fence.</summary>
internal abstract record FenceOutcome
{
    private FenceOutcome()
    {
    }

    /// <summary>It is raised on the Proxy's disk, and the container is not the target.</summary>
    /// <param name="State">How the Proxy serves; absent where it knows no such application.</param>
    public sealed record Fenced(ApplicationState? State) : FenceOutcome;

    /// <summary>It isn't raised; nothing changed.</summary>
    /// <param name="Problem">Why: the container is the target, or the fence isn't newer.</param>
    public sealed record Refused(ControlProblem Problem) : FenceOutcome;
}
