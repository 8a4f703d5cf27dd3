using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>Those who wait for the ends of deployments.</summary>
internal sealed class DeploymentWaiters
{
    private readonly Lock _gate = new();
    private readonly List<(string DeploymentId, TaskCompletionSource<DeploymentStatus> End)> _waiting = [];

    /// <summary>Waits for the end of a deployment.</summary>
    /// <param name="deploymentId">The deployment.</param>
    /// <param name="latest">Looks up its state, once the wait is on: an end that falls in between is seen.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Its end, or its state when the wait was ended; <see langword="null"/> where there is none of that id.</returns>
    public async Task<DeploymentStatus?> WaitAsync(string deploymentId, Func<DeploymentStatus?> latest, CancellationToken cancellationToken)
    {
        var end = new TaskCompletionSource<DeploymentStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _waiting.Add((deploymentId, end));
        try
        {
            if (latest() is null or { End: not null })
                return latest();
            await using var registration = cancellationToken.UnsafeRegister(static (waiting, token) => ((TaskCompletionSource<DeploymentStatus>)waiting!).TrySetCanceled(token), end);
            return await end.Task;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return latest();
        }
        finally
        {
            lock (_gate)
                _waiting.RemoveAll(w => w.End == end);
        }
    }

    /// <summary>Tells those who wait for the deployments that have ended.</summary>
    public void Tell(IEnumerable<DeploymentStatus> ended)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
                return;
            foreach (var deployment in ended)
            {
                foreach (var (_, end) in _waiting.Where(w => w.DeploymentId == deployment.Id))
                    end.TrySetResult(deployment);
            }
        }
    }
}
