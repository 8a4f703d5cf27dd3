using System.Collections.Concurrent;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What slow clients cost an application with one worker, and others who ask it, behind nginx and behind the Proxy.</summary>
internal static class SlowBenchmark
{
    private const int DefaultSeconds = 220;
    private const int Connections = 8;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // Each status takes the Proxy some milliseconds, which nobody asks nginx for: so seldom that it doesn't meet one request in a hundred.
    private const int SecondsBetweenStatus = 10;
    private static readonly byte[] Quick = "GET /quick HTTP/1.1\r\nHost: bench\r\n\r\n"u8.ToArray();

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        var length = TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds);
        var workers = new MarkdownTable(
            $"Slow clients: {SlowClients.OfEachKind} read 10 MB at 10 kB/s, {SlowClients.OfEachKind} send 1 MB at 5 kB/s",
            "Proxy", "Downloads served", "worker occupied, median ms", "p99", "max", "Uploads served", "worker occupied, median ms", "p99", "max", "Slow clients ended");
        var others = new MarkdownTable(
            "Slow clients: others, 50 requests a second to the same worker", "Proxy", "p99 ms before", "while slow clients come", "while they are there", "ratio to before", "Resident MiB, largest", "Kept in memory MiB, largest", "in files MiB");
        foreach (var name in (string[])["nginx", "wunderproxy-proxy"])
        {
            using var worker = new SingleWorker();
            var backend = new Uri($"http://{worker.Address}/");
            await using var contender = name == "nginx" ? await Contender.NginxAsync(lab, backend) : await Contender.WunderproxyAsync(lab, backend, logs: false, "--buffer-disk", "16GiB");
            await MeasureAsync(contender, worker, length, workers, others, cancellationToken);
        }

        return workers.With("From the moment when the worker takes a connection until it has sent its answer.")
            + others.With("A request that is late because the one before it was slow counts from when it was due. What is kept is what the Proxy says itself.");
    }

    private static async Task MeasureAsync(Contender contender, SingleWorker worker, TimeSpan length, MarkdownTable workers, MarkdownTable others, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var samples = new ConcurrentQueue<(long At, double Ms)>();
        var asking = Task.WhenAll(Enumerable.Range(0, Connections).Select(i => AskAsync(contender, Interval * i, samples, end.Token)));
        var most = new Most(contender);
        var watching = most.WatchAsync(end.Token);
        await Task.Delay(Calm, TimeProvider.System, cancellationToken);
        var warm = TimeProvider.System.GetTimestamp();
        await Task.Delay(Calm, TimeProvider.System, cancellationToken);
        var come = TimeProvider.System.GetTimestamp();
        await using var clients = new SlowClients(contender.Address);
        await clients.BeginAsync(cancellationToken);
        var there = TimeProvider.System.GetTimestamp();
        await Task.Delay(length, TimeProvider.System, cancellationToken);
        var failed = clients.Failed;
        await end.CancelAsync();
        await Task.WhenAll(asking, watching);

        var (before, meanwhile, after) = (P99(samples, warm, come), P99(samples, come, there), P99(samples, there, long.MaxValue));
        workers.Row([contender.Name, .. Occupied(worker, "/bytes/"), .. Occupied(worker, "/upload"), Figures.Text(failed, "0")]);
        others.Row(contender.Name, Figures.Text(before, "0.00"), Figures.Text(meanwhile, "0.00"), Figures.Text(after, "0.00"), Figures.Text(after / before, "0.00"), most.Resident, most.Memory, most.Disk);
    }

    private static double P99(IEnumerable<(long At, double Ms)> samples, long from, long until) =>
        new Figures(samples.Where(sample => sample.At >= from && sample.At < until).Select(sample => sample.Ms)).Percentile(99);

    private static string[] Occupied(SingleWorker worker, string path)
    {
        var times = new Figures(worker.Served.Where(request => request.Line.Contains(path, StringComparison.Ordinal)).Select(request => request.Occupied.TotalMilliseconds));
        return times.Count == 0
            ? ["0", "", "", ""]
            : [Figures.Text(times.Count, "0"), times.MedianText("0.0"), Figures.Text(times.Percentile(99), "0.0"), Figures.Text(times.Max, "0.0")];
    }

    private static async Task AskAsync(Contender contender, TimeSpan first, ConcurrentQueue<(long At, double Ms)> samples, CancellationToken cancellationToken)
    {
        using var client = await RawClient.ConnectAsync(contender.Address);
        var began = TimeProvider.System.GetTimestamp();
        try
        {
            for (var due = first; ; due += Interval * Connections)
            {
                var wait = due - TimeProvider.System.GetElapsedTime(began);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, TimeProvider.System, cancellationToken);
                var sent = wait > TimeSpan.Zero ? TimeProvider.System.GetElapsedTime(began) : due;
                if (await client.AskAsync(Quick, cancellationToken) == 0)
                    throw new InvalidOperationException($"{contender.Name} closed a connection.");
                samples.Enqueue((TimeProvider.System.GetTimestamp(), (TimeProvider.System.GetElapsedTime(began) - sent).TotalMilliseconds));
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    // The largest of what a proxy has needed.
    private sealed class Most(Contender contender)
    {
        private long _resident;
        private long _memory;
        private long _disk;

        public string Resident => MiB(_resident);

        public string Memory => contender.Control is null ? "" : MiB(_memory);

        public string Disk => contender.Control is null ? "" : MiB(_disk);

        public async Task WatchAsync(CancellationToken cancellationToken)
        {
            for (var second = 0; !cancellationToken.IsCancellationRequested; second++)
            {
                _resident = Math.Max(_resident, contender.Use.ResidentBytes);
                if (second % SecondsBetweenStatus == 0 && contender.Control is { } control && await control.StatusAsync() is { Buffers: var use })
                    (_memory, _disk) = (Math.Max(_memory, use.MemoryBytes), Math.Max(_disk, use.DiskBytes));
                await Task.Delay(Second, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        private static string MiB(long bytes) => Figures.Text(bytes / 1048576.0, "0");
    }
}
