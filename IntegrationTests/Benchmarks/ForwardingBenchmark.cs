using System.Runtime.CompilerServices;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Requests a second, CPU time a request and memory of the Proxy and of others, in front of the same backend, in turns.</summary>
internal static class ForwardingBenchmark
{
    private const int DefaultRounds = 5;
    private const int DefaultSeconds = 4;

    // The just-in-time compiler goes over what runs often: it is measured as it stays, not as it begins. After 5 s it still takes 2 % of the CPU.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <returns>A table for each kind of traffic, as soon as it is measured.</returns>
    public static async IAsyncEnumerable<string> RunAsync(LabHost lab, BenchmarkOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var echoes = new Echoes();
        await using var backend = await Contender.BackendAsync(lab, echoes.Port);
        await using var nginx = await Contender.NginxAsync(lab, backend.Address, options.AccessLog);
        await using var haproxy = await Contender.HaproxyAsync(lab, backend.Address, options.AccessLog);
        await using var caddy = await Contender.CaddyAsync(lab, backend.Address, options.AccessLog);
        await using var go = await Contender.GoAsync(lab, backend.Address, options.AccessLog);
        await using var wunderproxy = await Contender.WunderproxyAsync(lab, backend.Address, options.AccessLog);
        Contender[] contenders = [backend, nginx, haproxy, caddy, go, wunderproxy];
        foreach (var load in ForwardingLoad.All(lab).Where(load => options.Only is not { } only || load.Title.Contains(only, StringComparison.OrdinalIgnoreCase)))
            yield return await MeasureAsync(load, [.. contenders.Where(load.Fits)], options, cancellationToken);
        if (options.Only is null)
            yield return await IdleConnections.RunAsync(contenders.Skip(1));
    }

    private static async Task<string> MeasureAsync(ForwardingLoad load, Contender[] contenders, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        var length = TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds);
        foreach (var contender in contenders)
            await load.RunAsync(contender, WarmUp);
        var turns = new List<Turn>();
        for (var round = 0; round < (options.Rounds ?? DefaultRounds); round++)
        {
            // Each begins a round equally often: what the machine does besides meets all of them.
            for (var i = 0; i < contenders.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                turns.Add(await TakeTurnAsync(contenders[(i + round) % contenders.Length], load, length));
            }
        }

        return Report(load, contenders, turns, length);
    }

    private static async Task<Turn> TakeTurnAsync(Contender contender, ForwardingLoad load, TimeSpan length)
    {
        var before = contender.Use;
        var result = await load.RunAsync(contender, length);
        var cpu = contender.Use.Cpu - before.Cpu;
        await Console.Error.WriteLineAsync($"{load.Title}, {contender.Name}: {result.PerSecond:0} requests/s");
        return new Turn(contender.Name, result, cpu.TotalMicroseconds / Math.Max(1, result.Requests));
    }

    private static string Report(ForwardingLoad load, Contender[] contenders, List<Turn> turns, TimeSpan length)
    {
        var rounds = turns.Count / contenders.Length;
        var table = new MarkdownTable(
            $"Forwarding: {load.Title}, {rounds} rounds of {length.TotalSeconds:0} s",
            "Proxy", "requests/s", "Middle half (all)", "to nginx", "CPU µs a request", "Middle half (all)", "to nginx", "p99 ms", "to nginx", "Memory MiB", "Failed");
        var nginx = turns.Where(t => t.Name == "nginx").ToList();
        foreach (var contender in contenders)
        {
            var own = turns.Where(t => t.Name == contender.Name).ToList();
            var (rate, cpu) = (new Figures(own.Select(t => t.Result.PerSecond)), new Figures(own.Select(t => t.CpuMicroseconds)));
            table.Row(
                contender.Name,
                rate.MedianText("0"), rate.Spread("0"), Ratio(own, nginx, t => t.Result.PerSecond),
                cpu.MedianText("0.0"), cpu.Spread("0.0"), Ratio(own, nginx, t => t.CpuMicroseconds),
                own[0].Result.P99Ms is null ? "" : new Figures(own.Select(P99)).MedianText("0.00"), own[0].Result.P99Ms is null ? "" : Ratio(own, nginx, P99),
                Figures.Text(contender.Use.ResidentBytes / 1048576.0, "0"), $"{own.Sum(t => t.Result.Failed)}");
        }

        return table.With("A ratio is the median of the rounds' ratios. \"direct\" is the backend itself, asked without a proxy: its CPU is what it needs to serve the file.");
    }

    private static double P99(Turn turn) => turn.Result.P99Ms ?? 0;

    private static string Ratio(List<Turn> own, List<Turn> nginx, Func<Turn, double> value) =>
        new Figures(own.Zip(nginx, (o, n) => value(o) / value(n))).MedianText("0.00");

    private sealed record Turn(string Name, LoadResult Result, double CpuMicroseconds);
}
