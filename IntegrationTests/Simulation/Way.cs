namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>
/// The way between a caller and one peer: it takes time, and while <see cref="Trouble"/> lasts, requests and answers are lost, delayed, reordered and doubled.
/// </summary>
internal sealed class Way(string peer, VirtualThread thread, Life world, TimeProvider worldTime, Random random, Story story)
{
    /// <summary>How late anything comes at the latest.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(40);

    private readonly List<Action> _lost = [];

    /// <summary>Part of the calls that something happens to, 0 to 1.</summary>
    public double Trouble { get; set; }

    /// <summary>Whether the peer takes connections.</summary>
    public bool IsUp { get; set; } = true;

    /// <summary>Counts the lives of the peer: what was sent to a former one is lost.</summary>
    public int Epoch { get; set; }

    /// <summary>Until when the peer takes connections, but does nothing.</summary>
    public long HangsUntil { get; set; }

    /// <summary>Calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>One call.</summary>
    /// <param name="what">For the story.</param>
    /// <param name="serve">What the peer does; runs in its own time.</param>
    /// <param name="limit">How long the caller waits.</param>
    /// <param name="failure">Makes the caller's exception, from whether the request may have been carried out, and why.</param>
    /// <param name="time">The caller's clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<T> CallAsync<T>(string what, Func<Task<T>> serve, TimeSpan limit, Func<bool, string, Exception> failure, TimeProvider time, CancellationToken cancellationToken)
    {
        Calls++;
        var fate = Draw();
        if (fate != Fate.Fine)
            story.Tell(peer, $"{what}: {fate}");
        else
            story.TellDetail(peer, what);
        var answer = new TaskCompletionSource<T>();
        thread.Start(world, () => CarryAsync(fate, serve, failure, answer));
        try
        {
            return await answer.Task.WaitAsync(limit, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw failure(true, $"no answer within {limit.TotalSeconds} s");
        }
    }

    /// <summary>Nothing happens to calls any more. Those of which something was lost are known to be lost from now on, as a connection that was cut is once the line is whole again.</summary>
    public void EndTrouble()
    {
        (Trouble, HangsUntil) = (0, 0);
        foreach (var call in _lost)
            thread.Start(world, () =>
            {
                call();
                return Task.CompletedTask;
            });
        _lost.Clear();
    }

    /// <summary>Waits while the peer hangs.</summary>
    public async Task UntilItWorksAsync()
    {
        // A delay is cut to whole milliseconds.
        while (thread.Now < HangsUntil)
            await Task.Delay(TimeSpan.FromTicks(HangsUntil - thread.Now) + TimeSpan.FromMilliseconds(1), worldTime);
    }

    private async Task CarryAsync<T>(Fate fate, Func<Task<T>> serve, Func<bool, string, Exception> failure, TaskCompletionSource<T> answer)
    {
        var epoch = Epoch;
        await DelayAsync();
        if (fate == Fate.Refused || !IsUp)
        {
            answer.TrySetException(failure(false, "connection refused"));
            return;
        }

        if (fate is Fate.RequestLost or Fate.AnswerLost)
            Lose(() => answer.TrySetException(failure(true, "connection reset")));
        if (fate == Fate.RequestLost)
            return;
        if (fate == Fate.RequestLate)
            await Task.Delay(random.NextDouble() * LongestDelay, worldTime);
        await UntilItWorksAsync();
        if (epoch != Epoch)
        {
            answer.TrySetException(failure(true, "connection reset"));
            return;
        }

        await AnswerAsync(fate, epoch, serve, failure, answer);
    }

    private void Lose(Action call)
    {
        if (Trouble > 0)
            _lost.Add(call);
        else
            call();
    }

    private async Task AnswerAsync<T>(Fate fate, int epoch, Func<Task<T>> serve, Func<bool, string, Exception> failure, TaskCompletionSource<T> answer)
    {
        try
        {
            var result = await serve();
            if (fate == Fate.Twice)
                await serve();
            await DelayAsync();
            if (fate == Fate.AnswerLost)
                return;
            if (epoch != Epoch)
                answer.TrySetException(failure(true, "connection reset"));
            answer.TrySetResult(result);
        }
        catch (Exception exception) when (exception is not PromiseBrokenException)
        {
            await DelayAsync();
            if (fate != Fate.AnswerLost)
                answer.TrySetException(exception);
        }
    }

    private Task DelayAsync()
    {
        var milliseconds = random.Next(20) == 0 ? random.NextDouble() * 150 : random.NextDouble() * 4;
        return Task.Delay(TimeSpan.FromMilliseconds(Trouble > 0 ? milliseconds * 3 : milliseconds), worldTime);
    }

    private Fate Draw() => random.NextDouble() >= Trouble ? Fate.Fine : (Fate)(1 + random.Next(5));

    /// <summary>What happens to a call.</summary>
    private enum Fate
    {
        Fine,
        Refused,
        RequestLost,
        RequestLate,
        AnswerLost,
        Twice,
    }
}
