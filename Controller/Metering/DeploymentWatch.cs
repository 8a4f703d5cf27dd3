using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Metering;

/// <summary>Finds the deployments that have ended, each once, and once more where one that had succeeded was rolled back. The status has the last 20 of them, so it is enough to look every few seconds.</summary>
/// <param name="deployments">The latest deployments.</param>
/// <param name="ended">Is told of each one that ended after this was made.</param>
/// <param name="time">The clock.</param>
internal sealed class DeploymentWatch(Func<IReadOnlyList<DeploymentStatus>> deployments, Action<DeploymentStatus> ended, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly HashSet<(string Id, DeploymentEnd? End)> _told = [];
    private readonly DateTimeOffset _begin = time.GetUtcNow();

    /// <summary>Looks now.</summary>
    public void Look()
    {
        lock (_gate)
        {
            var latest = deployments();
            foreach (var deployment in latest.Reverse().Where(deployment => deployment.EndedAt >= _begin && _told.Add((deployment.Id, deployment.End))))
            {
                ended(deployment);
            }

            _told.RemoveWhere(told => latest.All(deployment => deployment.Id != told.Id));
        }
    }

    /// <summary>Looks until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, time, cancellationToken);
                Look();
            }
        }
        finally
        {
            Look();
        }
    }
}
