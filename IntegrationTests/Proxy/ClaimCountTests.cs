using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.IntegrationTests.Proxy;

public class ClaimCountTests
{
    [Fact]
    public void Closing_an_unused_target_drains_it_at_once()
    {
        var count = new ClaimCount();

        count.Close();

        Assert.True(count.Drained.IsCompletedSuccessfully);
        Assert.False(count.TryEnter());
        Assert.Equal((0, 0), (count.InFlight, count.Streams));
    }

    [Fact]
    public void Drain_waits_for_plain_requests_and_streams()
    {
        var count = new ClaimCount();
        Assert.True(count.TryEnter());
        Assert.True(count.TryEnter());
        count.BecomeStream();
        count.Close();
        Assert.Equal((1, 1), (count.InFlight, count.Streams));

        count.LeavePlain();
        Assert.False(count.Drained.IsCompleted);
        count.LeaveStream();

        Assert.True(count.Drained.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task No_claim_is_held_after_the_drain_of_its_target_was_over_in_thousands_of_switches()
    {
        const int switches = 5_000;
        var current = new Watched();
        var old = new List<Watched>();
        using var over = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () => ClaimAndLeaveUntil(() => Volatile.Read(ref current), over.Token),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();

        // On a busy machine all would be over before the first of them has run.
        await Lab.Eventually.HoldsAsync("the clients have begun", () => Volatile.Read(ref current.Claims) > 0);
        for (var i = 0; i < switches; i++)
        {
            var replaced = current;
            Volatile.Write(ref current, new Watched());
            replaced.Count.Close();
            await replaced.Count.Drained.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
            replaced.IsOver = true;
            old.Add(replaced);
        }

        await over.CancelAsync();
        await Task.WhenAll(clients);
        Assert.All(old.Append(current), target => Assert.Equal((0, 0, 0), (target.Count.InFlight, target.Count.Streams, target.HeldAfterwards)));
        Assert.True(old.Sum(target => target.Claims) > 0);
    }

    private static void ClaimAndLeaveUntil(Func<Watched> current, CancellationToken over)
    {
        var isStream = false;
        while (!over.IsCancellationRequested)
        {
            var target = current();
            if (!target.Count.TryEnter())
            {
                Thread.Yield();
                continue;
            }

            Interlocked.Increment(ref target.Claims);
            isStream = !isStream;
            if (isStream)
            {
                target.Count.BecomeStream();
            }

            if (target.IsOver)
            {
                Interlocked.Increment(ref target.HeldAfterwards);
            }

            (isStream ? (Action)target.Count.LeaveStream : target.Count.LeavePlain)();
        }
    }

    private sealed class Watched
    {
        public volatile bool IsOver;
        public int HeldAfterwards;
        public int Claims;

        public ClaimCount Count { get; } = new();
    }
}
