using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Requests a second and CPU time a request of the Proxy and of others, in front of the same backend, in turns.</summary>
internal static class ForwardingBenchmark
{
    private const int DefaultRounds = 5;
    private const int DefaultSeconds = 4;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly string[] Pages = ["tiny", "64KiB"];

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        await using var backend = await Contender.BackendAsync(lab);
        await using var nginx = await Contender.NginxAsync(lab, backend.Address);
        await using var haproxy = await Contender.HaproxyAsync(lab, backend.Address);
        await using var caddy = await Contender.CaddyAsync(lab, backend.Address);
        await using var wunderproxy = await Contender.WunderproxyAsync(lab, backend.Address);
        Contender[] contenders = [backend, nginx, haproxy, caddy, wunderproxy];
        var length = TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds);
        var report = "";
        foreach (var page in Pages)
        {
            foreach (var contender in contenders)
                await Wrk.RunAsync(new Uri(contender.Address, page), WarmUp);
            var turns = new List<Turn>();
            for (var round = 0; round < (options.Rounds ?? DefaultRounds); round++)
            {
                // Each begins a round equally often: what the machine does besides meets all of them.
                for (var i = 0; i < contenders.Length; i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    turns.Add(await TakeTurnAsync(contenders[(i + round) % contenders.Length], page, length));
                }
            }

            report += Report(page, contenders, turns, length);
        }

        return report;
    }

    private static async Task<Turn> TakeTurnAsync(Contender contender, string page, TimeSpan length)
    {
        var before = contender.Use;
        var wrk = await Wrk.RunAsync(new Uri(contender.Address, page), length);
        var cpu = contender.Use.Cpu - before.Cpu;
        await Console.Error.WriteLineAsync($"{page} {contender.Name}: {wrk.PerSecond:0} requests/s");
        return new Turn(contender.Name, wrk, cpu.TotalMicroseconds / Math.Max(1, wrk.Requests));
    }

    private static string Report(string page, Contender[] contenders, List<Turn> turns, TimeSpan length)
    {
        var rounds = turns.Count / contenders.Length;
        var table = new MarkdownTable(
            $"Forwarding: {page} answer, wrk with 1 thread and {Wrk.Connections} keep-alive connections, {rounds} rounds of {length.TotalSeconds:0} s",
            "Proxy", "requests/s", "Middle half (all)", "to nginx", "CPU µs a request", "Middle half (all)", "to nginx", "Memory MiB", "Failed");
        var nginx = turns.Where(t => t.Name == "nginx").ToList();
        foreach (var contender in contenders)
        {
            var own = turns.Where(t => t.Name == contender.Name).ToList();
            var (rate, cpu) = (new Figures(own.Select(t => t.Wrk.PerSecond)), new Figures(own.Select(t => t.CpuMicroseconds)));
            table.Row(
                contender.Name,
                rate.MedianText("0"), rate.Spread("0"), Ratio(own, nginx, t => t.Wrk.PerSecond),
                cpu.MedianText("0.0"), cpu.Spread("0.0"), Ratio(own, nginx, t => t.CpuMicroseconds),
                Figures.Text(contender.Use.ResidentBytes / 1048576.0, "0"), $"{own.Sum(t => t.Wrk.Failed)}");
        }

        return table.With("A ratio is the median of the rounds' ratios. \"direct\" is the backend itself, asked without a proxy: its CPU is what it needs to serve the file.");
    }

    private static string Ratio(List<Turn> own, List<Turn> nginx, Func<Turn, double> value) =>
        new Figures(own.Zip(nginx, (o, n) => value(o) / value(n))).MedianText("0.00");

    private sealed record Turn(string Name, Wrk Wrk, double CpuMicroseconds);
}
