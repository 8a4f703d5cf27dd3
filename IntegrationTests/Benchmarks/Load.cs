using System.Collections.Concurrent;
using System.Globalization;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>A steady load on keep-alive connections, each of which asks at fixed times whether or not the last answer was quick.</summary>
internal sealed class Load : IAsyncDisposable
{
    private const int Connections = 16;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(40);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Request> _requests = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = Connections }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly Task _workers;

    public Load(Uri address) =>
        _workers = Task.WhenAll(Enumerable.Range(0, Connections).Select(i => AskAsync(address, Interval * i / Connections, _stop.Token)));

    public static string Description => string.Create(CultureInfo.InvariantCulture, $"{Connections / Interval.TotalSeconds:0} requests/s on {Connections} keep-alive connections");

    /// <summary>Everything that was asked up to now.</summary>
    public IReadOnlyCollection<Request> Requests => _requests;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _workers;
        _client.Dispose();
        _stop.Dispose();
    }

    private async Task AskAsync(Uri address, TimeSpan offset, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(offset, TimeProvider.System, cancellationToken);
            var due = TimeProvider.System.GetTimestamp();
            while (true)
            {
                // After a slow answer the next request is late, and its time counts from when it was due: users would have asked then.
                var isLate = TimeProvider.System.GetElapsedTime(due) > TimeSpan.Zero;
                if (!isLate)
                    await Task.Delay(-TimeProvider.System.GetElapsedTime(due), TimeProvider.System, cancellationToken);
                _requests.Enqueue(await AskOnceAsync(address, isLate ? due : TimeProvider.System.GetTimestamp()));
                due += (long)(Interval.TotalSeconds * TimeProvider.System.TimestampFrequency);
            }
        }
        catch (OperationCanceledException)
        {
            // The load is over.
        }
    }

    private async Task<Request> AskOnceAsync(Uri address, long begun)
    {
        try
        {
            using var answer = await _client.GetAsync(address, CancellationToken.None);
            var body = await answer.Content.ReadAsStringAsync(CancellationToken.None);
            return new Request(begun, TimeProvider.System.GetElapsedTime(begun), answer.IsSuccessStatusCode ? body : null);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            return new Request(begun, TimeProvider.System.GetElapsedTime(begun), Version: null);
        }
    }
}

/// <summary>One request of the load.</summary>
/// <param name="Begun">When it was sent, or due, as a timestamp.</param>
/// <param name="Took">Until its whole answer was there.</param>
/// <param name="Version">Who answered; absent: it failed.</param>
internal sealed record Request(long Begun, TimeSpan Took, string? Version);
