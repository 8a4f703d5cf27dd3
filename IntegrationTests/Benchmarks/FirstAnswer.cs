namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Asks again and again, as a loop of curl would, until the awaited answer comes.</summary>
internal static class FirstAnswer
{
    // More often, and asking would itself slow down what is measured.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <returns>When the answer was there, as a timestamp.</returns>
    public static async Task<long> AwaitAsync(HttpClient client, Uri address, string expected, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        while (await AskAsync(client, address, either.Token) != expected)
            await Task.Delay(Pause, TimeProvider.System, either.Token);
        return TimeProvider.System.GetTimestamp();
    }

    /// <summary>Asks in the same way, whatever the answer, while something is done.</summary>
    public static async Task MeanwhileAsync(HttpClient client, Uri address, Func<Task> act, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asking = AskUntilAsync(client, address, end.Token);
        await act();
        await end.CancelAsync();
        await asking;
    }

    private static async Task AskUntilAsync(HttpClient client, Uri address, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await AskAsync(client, address, end);
                await Task.Delay(Pause, TimeProvider.System, end);
            }
        }
        catch (OperationCanceledException)
        {
            // What it was asked for is done.
        }
    }

    private static async Task<string?> AskAsync(HttpClient client, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode ? await answer.Content.ReadAsStringAsync(cancellationToken) : null;
        }
        catch (Exception exception) when (exception is HttpRequestException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }
}
