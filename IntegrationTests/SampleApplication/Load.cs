namespace Wunderproxy.SampleApplication;

/// <summary>A steady load of keep-alive GETs: each connection asks again a few milliseconds after the answer.</summary>
internal sealed class Load(Uri target, int connections, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RequestDeadline = TimeSpan.FromSeconds(10);

    private readonly LoadReport _report = new();

    public async Task<LoadReport> RunAsync(CancellationToken end)
    {
        var began = time.GetTimestamp();
        using var handler = new SocketsHttpHandler { MaxConnectionsPerServer = connections, UseProxy = false };
        using var client = new HttpClient(handler) { Timeout = RequestDeadline };
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => AskAgainAsync(client, end)));
        _report.Seconds = Math.Round(time.GetElapsedTime(began).TotalSeconds, 3);
        return _report;
    }

    // A request that has begun is always finished, so that the end of the load is no failure.
    private async Task AskAgainAsync(HttpClient client, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            await AskAsync(client);
            await Task.Delay(Pause, time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AskAsync(HttpClient client)
    {
        var began = time.GetTimestamp();
        try
        {
            using var answer = await client.GetAsync(target, CancellationToken.None);
            var version = answer.Headers.TryGetValues("X-Version", out var values) ? values.First() : "none";
            if (answer.IsSuccessStatusCode)
                _report.Succeed(version, time.GetElapsedTime(began));
            else
                _report.Fail($"status {(int)answer.StatusCode}");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            _report.Fail(exception.Message);
        }
    }
}
