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
            yield return await CompareAsync("Forwarding", load, [.. contenders.Where(load.Fits)], nginx, options.Rounds ?? DefaultRounds, TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds), cancellationToken);
        if (options.Only is null)
            yield return await IdleConnections.RunBehindAllAsync(contenders.Skip(1));
        if (options.Only is null or "idle connections")
            yield return await IdleConnections.RunAnewAsync(Starts(lab, backend, options.AccessLog), ForwardingLoad.All(lab)[0]);
    }

    private static Func<Task<Contender>>[] Starts(LabHost lab, Contender backend, bool logs) =>
    [
        () => Contender.NginxAsync(lab, backend.Address, logs),
        () => Contender.HaproxyAsync(lab, backend.Address, logs),
        () => Contender.CaddyAsync(lab, backend.Address, logs),
        () => Contender.GoAsync(lab, backend.Address, logs),
        () => Contender.WunderproxyAsync(lab, backend.Address, logs),
    ];

    /// <summary>Gives a load to contenders in turns.</summary>
    /// <returns>The table, with ratios to one of them.</returns>
    public static async Task<string> CompareAsync(
        string subject, ForwardingLoad load, Contender[] contenders, Contender standard, int rounds, TimeSpan length, CancellationToken cancellationToken)
    {
        foreach (var contender in contenders)
            await load.RunAsync(contender, WarmUp);
        var turns = new List<Turn>();
        for (var round = 0; round < rounds; round++)
        {
            // Each begins a round equally often: what the machine does besides meets all of them.
            for (var i = 0; i < contenders.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                turns.Add(await TakeTurnAsync(contenders[(i + round) % contenders.Length], load, length));
            }
        }

        return Report($"{subject}: {load.Title}, {rounds} rounds of {length.TotalSeconds:0} s", contenders, turns, standard.Name);
    }

    private static async Task<Turn> TakeTurnAsync(Contender contender, ForwardingLoad load, TimeSpan length)
    {
        var before = contender.Use;
        var result = await load.RunAsync(contender, length);
        var cpu = result.Cpu ?? contender.Use.Cpu - before.Cpu;
        await Console.Error.WriteLineAsync($"{load.Title}, {contender.Name}: {result.PerSecond:0} requests/s");
        return new Turn(contender.Name, result, cpu.TotalMicroseconds / Math.Max(1, result.Requests));
    }

    private static string Report(string title, Contender[] contenders, List<Turn> turns, string standard)
    {
        var table = new MarkdownTable(
            title, "Proxy", "requests/s", "Middle half (all)", $"to {standard}", "CPU µs a request", "Middle half (all)", $"to {standard}", "p99 ms", $"to {standard}", "Memory MiB", "Failed");
        var theirs = turns.Where(t => t.Name == standard).ToList();
        foreach (var contender in contenders)
        {
            var own = turns.Where(t => t.Name == contender.Name).ToList();
            var (rate, cpu) = (new Figures(own.Select(t => t.Result.PerSecond)), new Figures(own.Select(t => t.CpuMicroseconds)));
            table.Row(
                contender.Name,
                rate.MedianText("0"), rate.Spread("0"), Ratio(own, theirs, t => t.Result.PerSecond),
                cpu.MedianText("0.0"), cpu.Spread("0.0"), Ratio(own, theirs, t => t.CpuMicroseconds),
                own[0].Result.P99Ms is null ? "" : new Figures(own.Select(P99)).MedianText("0.00"), own[0].Result.P99Ms is null ? "" : Ratio(own, theirs, P99),
                Figures.Text(contender.Use.ResidentBytes / 1048576.0, "0"), $"{own.Sum(t => t.Result.Failed)}");
        }

        return table.With("A ratio is the median of the rounds' ratios. \"direct\" is the backend itself, asked without a proxy: its CPU is what it needs to serve the file.");
    }

    private static double P99(Turn turn) => turn.Result.P99Ms ?? 0;

    private static string Ratio(List<Turn> own, List<Turn> theirs, Func<Turn, double> value) =>
        new Figures(own.Zip(theirs, (o, n) => value(o) / value(n))).MedianText("0.00");

    private sealed record Turn(string Name, LoadResult Result, double CpuMicroseconds);
}
