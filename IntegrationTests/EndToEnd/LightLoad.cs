using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Two visitors who ask for the home page again and again while something else happens.</summary>
internal sealed class LightLoad : IAsyncDisposable
{
    private const int Visitors = 2;
    private const int MostRequests = 20_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _client;
    private readonly Task<List<string>>[] _visits;

    public LightLoad(Uri target)
    {
        _client = new HttpClient { BaseAddress = target, Timeout = TimeSpan.FromSeconds(30) };
        _visits = [.. Enumerable.Range(0, Visitors).Select(_ => VisitAsync())];
    }

    /// <summary>Ends the load.</summary>
    /// <returns>What was answered, each text once: a greeting, or the failure of a request.</returns>
    public async Task<IEnumerable<string>> EndAsync()
    {
        await _end.CancelAsync();
        var answers = await Task.WhenAll(_visits);
        Assert.All(answers, Assert.NotEmpty);
        return answers.SelectMany(a => a).Distinct(StringComparer.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_visits);
        _client.Dispose();
        _end.Dispose();
    }

    // A request that has begun is always finished, so that the end of the load is no failure.
    private async Task<List<string>> VisitAsync()
    {
        var answers = new List<string>();
        while (!_end.IsCancellationRequested && answers.Count < MostRequests)
        {
            answers.Add(await AskAsync());
            await Eventually.PassAsync(Pause);
        }

        return answers;
    }

    private async Task<string> AskAsync()
    {
        try
        {
            return await _client.GetStringAsync("");
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return exception.Message;
        }
    }
}
