using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What slow clients cost an application with one worker, and others who ask it, behind nginx and behind the Proxy.</summary>
internal static class SlowBenchmark
{
    private const int DefaultSeconds = 220;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // Each status takes the Proxy some milliseconds, which nobody asks nginx for: so seldom that it doesn't meet one request in a hundred.
    private const int SecondsBetweenStatus = 10;

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        var length = TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds);
        var workers = new MarkdownTable(
            $"Slow clients: {SlowClients.OfEachKind} read 10 MB at 10 kB/s, {SlowClients.OfEachKind} send 1 MB at 5 kB/s",
            "Proxy", "Downloads served", "worker occupied, median ms", "p99", "max", "Uploads served", "worker occupied, median ms", "p99", "max", "Slow clients ended");
        var others = new MarkdownTable(
            $"Slow clients: others, {Visitors.PerSecond} requests a second to the same worker", "Who is between", "p99 ms before", "while slow clients come", "while they are there", "ratio to before", "Resident MiB, largest", "Kept in memory MiB, largest", "in files MiB");
        foreach (var name in (string[])["nginx", "wunderproxy-proxy"])
        {
            using var worker = new SingleWorker();
            var backend = new Uri($"http://{worker.Address}/");
            await using var contender = name == "nginx" ? await Contender.NginxAsync(lab, backend) : await Contender.WunderproxyAsync(lab, backend, logs: false, "--buffer-disk", "16GiB");
            await MeasureAsync(contender, worker, length, workers, others, cancellationToken);
        }

        return workers.With("From the moment when the worker takes a connection until it has sent its answer.")
            + others.With("A request that is late because the one before it was slow counts from when it was due. What is kept is what the Proxy says itself. "
                + "Those who ask the worker itself, at the same time, show what the machine is able to: slow clients, their files on the disk, the worker and the others share its processors.");
    }

    private static async Task MeasureAsync(Contender contender, SingleWorker worker, TimeSpan length, MarkdownTable workers, MarkdownTable others, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var most = new Most(contender);
        var watching = most.WatchAsync(end.Token);
        await using var visitors = LoadProcess.Visitors(contender.Address);
        await using var direct = LoadProcess.Visitors(new Uri($"http://{worker.Address}/"));
        await Task.Delay(Calm, TimeProvider.System, cancellationToken);
        var warm = TimeProvider.System.GetTimestamp();
        await Task.Delay(Calm, TimeProvider.System, cancellationToken);
        var come = TimeProvider.System.GetTimestamp();
        await using var clients = await LoadProcess.SlowClientsAsync(contender.Address);
        var there = TimeProvider.System.GetTimestamp();
        await Task.Delay(length, TimeProvider.System, cancellationToken);
        var (through, alone) = (Visits(await visitors.EndAsync()), Visits(await direct.EndAsync()));
        var failed = (await clients.EndAsync())[^1];
        await end.CancelAsync();
        await watching;

        workers.Row([contender.Name, .. Occupied(worker, "/bytes/"), .. Occupied(worker, "/upload"), failed]);
        others.Row([contender.Name, .. P99s(through, warm, come, there), most.Resident, most.Memory, most.Disk]);
        others.Row(["nobody: they ask the worker itself", .. P99s(alone, warm, come, there), "", "", ""]);
    }

    private static List<Visit> Visits(IEnumerable<string> lines) => [.. lines.Select(Visit.Parse)];

    private static string[] P99s(List<Visit> visits, long warm, long come, long there)
    {
        var (before, meanwhile, after) = (P99(visits, warm, come), P99(visits, come, there), P99(visits, there, long.MaxValue));
        return [Figures.Text(before, "0.00"), Figures.Text(meanwhile, "0.00"), Figures.Text(after, "0.00"), Figures.Text(after / before, "0.00")];
    }

    private static double P99(IEnumerable<Visit> visits, long from, long until) =>
        new Figures(visits.Where(visit => visit.At >= from && visit.At < until).Select(visit => visit.Ms)).Percentile(99);

    private static string[] Occupied(SingleWorker worker, string path)
    {
        var times = new Figures(worker.Served.Where(request => request.Line.Contains(path, StringComparison.Ordinal)).Select(request => request.Occupied.TotalMilliseconds));
        return times.Count == 0
            ? ["0", "", "", ""]
            : [Figures.Text(times.Count, "0"), times.MedianText("0.0"), Figures.Text(times.Percentile(99), "0.0"), Figures.Text(times.Max, "0.0")];
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
