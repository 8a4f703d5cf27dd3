using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>Waits for what real processes do: looks again and again until a deadline. The only place in the tests where real time is awaited.</summary>
public static class Eventually
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Looks until there is something.</summary>
    /// <param name="what">What is awaited, for the failure: "v2 serves".</param>
    /// <param name="look">Returns null, or throws as a refused connection does, while it isn't there.</param>
    /// <param name="deadline">When the test fails; 30 s if absent.</param>
    public static async Task<T> FindAsync<T>(string what, Func<CancellationToken, Task<T?>> look, TimeSpan? deadline = null)
        where T : class
    {
        var limit = deadline ?? DefaultDeadline;
        using var end = new CancellationTokenSource(limit, TimeProvider.System);
        Exception? last = null;
        while (!end.IsCancellationRequested)
        {
            try
            {
                if (await look(end.Token) is { } found)
                    return found;
                last = null;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException or OperationCanceledException)
            {
                last = exception;
            }

            await Task.Delay(Interval, TimeProvider.System, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        throw new TimeoutException($"Not within {limit.TotalSeconds:0.#} s: {what}. {last?.Message}", last);
    }

    /// <summary>Looks until it is so.</summary>
    public static Task HoldsAsync(string what, Func<CancellationToken, Task<bool>> look, TimeSpan? deadline = null) =>
        FindAsync(what, async cancellationToken => await look(cancellationToken) ? what : null, deadline);

    /// <summary>Looks until it is so.</summary>
    public static Task HoldsAsync(string what, Func<bool> look, TimeSpan? deadline = null) =>
        HoldsAsync(what, _ => Task.FromResult(look()), deadline);

    /// <summary>Lets real time pass, for what must not happen in it.</summary>
    public static Task PassAsync(TimeSpan duration) => Task.Delay(duration, TimeProvider.System);
}
