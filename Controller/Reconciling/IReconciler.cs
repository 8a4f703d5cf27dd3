namespace Wunderproxy.Controller.Reconciling;

/// <summary>Makes what runs on this host what is desired, and answers for it.</summary>
internal interface IReconciler : IOperations
{
    /// <summary>Ends once the first pass has ended, so that there is a status.</summary>
    Task Started { get; }

    /// <summary>Speaks to the engine for the first time, so that the first look at it is quick. Nothing is decided; a failure is met again when it is asked for good.</summary>
    Task GetAcquaintedAsync(CancellationToken cancellationToken);

    /// <summary>Reconciles until it is cancelled. No error of the engine, the store or the Proxy ends it.</summary>
    /// <param name="cancellationToken">Ends it after the effect that is under way; containers and Proxy go on.</param>
    Task RunAsync(CancellationToken cancellationToken);
}
