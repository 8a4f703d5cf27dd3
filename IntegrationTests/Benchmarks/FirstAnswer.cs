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
