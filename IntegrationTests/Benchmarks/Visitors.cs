using System.Collections.Concurrent;
using System.Globalization;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Those who ask a little at fixed times, whether or not the answers are quick.</summary>
/// <param name="address">Whom they ask, on a few connections; a server that closes each of them after its answer is asked on a new one each time.</param>
internal sealed class Visitors(Uri address)
{
    public const int PerSecond = 100;

    private const int Connections = 8;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1) / PerSecond;
    private static readonly byte[] Quick = "GET /quick HTTP/1.1\r\nHost: bench\r\n\r\n"u8.ToArray();

    private readonly ConcurrentQueue<Visit> _visits = new();

    /// <summary>Asks until it is over.</summary>
    /// <returns>All that was asked.</returns>
    public async Task<IReadOnlyCollection<Visit>> AskAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(i => AskAsync(Interval * i, cancellationToken)));
        return _visits;
    }

    private async Task AskAsync(TimeSpan first, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        RawClient? client = null;
        try
        {
            for (var due = first; ; due += Interval * Connections)
            {
                var wait = due - TimeProvider.System.GetElapsedTime(began);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, TimeProvider.System, cancellationToken);
                var sent = wait > TimeSpan.Zero ? TimeProvider.System.GetElapsedTime(began) : due;
                client ??= await RawClient.ConnectAsync(address);
                if (await client.AskAsync(Quick, cancellationToken) == 0)
                    throw new InvalidOperationException($"{address} closed a connection.");
                _visits.Enqueue(new Visit(TimeProvider.System.GetTimestamp(), (TimeProvider.System.GetElapsedTime(began) - sent).TotalMilliseconds));
                if (client.IsClosing)
                {
                    client.Dispose();
                    client = null;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
        finally
        {
            client?.Dispose();
        }
    }
}

/// <summary>One request.</summary>
/// <param name="At">When its answer was there, as a timestamp; the same clock in every process.</param>
/// <param name="Ms">For how long it was waited for. One that is late because of the one before it counts from when it was due.</param>
internal readonly record struct Visit(long At, double Ms)
{
    public static Visit Parse(string line) => line.Split(' ') is [var at, var ms]
        ? new Visit(long.Parse(at, CultureInfo.InvariantCulture), double.Parse(ms, CultureInfo.InvariantCulture))
        : throw new FormatException($"'{line}' is no visit.");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At} {Ms:0.000}");
}
