using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What visitors notice of switches that come one after another: the Proxy alone, between two backends that are there already.</summary>
internal static class StormBenchmark
{
    private const int DefaultRounds = 1000;
    private const int ShortestMs = 250;
    private const int LongestMs = 270;
    private static readonly TimeSpan Around = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(8);

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        using var echoes = new Echoes();
        await using var one = await Contender.BackendAsync(lab, echoes.Port);
        await using var two = await Contender.BackendAsync(lab, echoes.Port);
        await using var proxy = await Contender.WunderproxyAsync(lab, one.Address);
        await using var load = new Load(new Uri(proxy.Address, "tiny"));
        await Eventually.PassAsync(WarmUp);
        var warm = TimeProvider.System.GetTimestamp();
        var switches = new List<long>();

        // At other moments than the load, which asks by the same clock: else each switch met a request.
        var random = new Random(1);
        for (var i = 1; i <= (options.Rounds ?? DefaultRounds); i++)
        {
            switches.Add(TimeProvider.System.GetTimestamp());
            await proxy.Control!.MoveAsync((i % 2 == 0 ? one : two).Address);
            var rest = TimeSpan.FromMilliseconds(random.Next(ShortestMs, LongestMs)) - TimeProvider.System.GetElapsedTime(switches[^1]);
            await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, TimeProvider.System, cancellationToken);
        }

        return Report([.. load.Requests.Where(r => r.Begun >= warm)], switches);
    }

    private static string Report(List<Request> requests, List<long> switches)
    {
        var around = requests.Where(r => IsAround(r.Begun, switches)).ToList();
        var rest = requests.Where(r => !IsAround(r.Begun, switches)).ToList();
        var table = RequestTable.Begin($"Switch storm: {Load.Description}, {switches.Count} switches, one every {ShortestMs} to {LongestMs} ms");
        table.Add("within 50 ms before and after a switch", around);
        table.Add("the rest", rest);
        return table.With($"p99 around a switch: **{around.P99Ms() / rest.P99Ms():0.00}×** that of the rest (goal: at most 1.5×). Failed requests: **{requests.Count(r => r.Version is null)}** of {requests.Count}.");
    }

    private static bool IsAround(long begun, List<long> switches)
    {
        var next = switches.BinarySearch(begun);
        next = next < 0 ? ~next : next;
        return (next < switches.Count && IsNear(begun, switches[next])) || (next > 0 && IsNear(begun, switches[next - 1]));
    }

    private static bool IsNear(long one, long other) => Math.Abs(one - other) <= Around.TotalSeconds * TimeProvider.System.TimestampFrequency;
}
