using Wunderproxy.Controller.AdminClient;

namespace Wunderproxy.Controller.Following;

/// <summary>Asks hosts again and again until each one's deployment has ended.</summary>
/// <param name="tell">Receives what is new.</param>
/// <param name="wait">Is told between two looks, for a line that shows that something happens.</param>
/// <param name="time">The clock.</param>
internal sealed class Follow(Action<HostNews> tell, Action<IReadOnlyList<HostFollower>> wait, TimeProvider time)
{
    // The answer is at hand in the Controller, and costs it nothing.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Follows until each has ended, or the time is over.</summary>
    /// <returns>The worst end.</returns>
    public async Task<FollowEnd> RunAsync(IReadOnlyList<(AdminApiClient Api, HostFollower Follower)> hosts, TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var open = hosts.Where(host => host.Follower.End is null).ToList();
            var news = await Task.WhenAll(open.Select(host => LookAsync(host.Api, host.Follower, cancellationToken)));
            foreach (var one in news.SelectMany(list => list))
            {
                tell(one);
            }

            open.RemoveAll(host => host.Follower.End is not null);
            if (open.Count > 0 && time.GetElapsedTime(began) >= limit)
            {
                open.ForEach(host => tell(host.Follower.GiveUp(limit)));
                open.Clear();
            }

            if (open.Count == 0)
            {
                return hosts.Max(host => host.Follower.End!.Value);
            }

            wait([.. open.Select(host => host.Follower)]);
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private static async Task<IReadOnlyList<HostNews>> LookAsync(AdminApiClient api, HostFollower follower, CancellationToken cancellationToken)
    {
        try
        {
            return follower.Take(await api.GetStatusAsync(cancellationToken));
        }
        catch (AdminException e)
        {
            return e.Fault == AdminFault.Unreachable ? follower.Miss(e.Message) : follower.Lose(e.Message);
        }
    }
}
