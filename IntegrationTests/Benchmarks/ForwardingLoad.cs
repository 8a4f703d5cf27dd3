using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>One kind of traffic that all contenders are given in turns.</summary>
/// <param name="Title">What it is, for the table.</param>
/// <param name="RunAsync">Gives it to a contender, for so long.</param>
internal sealed record ForwardingLoad(string Title, Func<Contender, TimeSpan, Task<LoadResult>> RunAsync)
{
    /// <summary>Whether a contender takes such traffic.</summary>
    public Func<Contender, bool> Fits { get; private init; } = static _ => true;

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<ForwardingLoad> All(LabHost lab) =>
    [
        ByWrk(lab, "tiny answer, 64 keep-alive connections", "tiny", 64, ""),
        ByWrk(lab, "tiny answer, 256 keep-alive connections", "tiny", 256, ""),
        ByWrk(lab, "64 KiB answer, 64 keep-alive connections", "64KiB", 64, ""),
        ByWrk(lab, "1 MiB answer, 16 keep-alive connections", "1MiB", 16, ""),
        ByWrk(lab, "tiny answer, a new connection for each request, 64 at a time", "tiny", 64, "wrk.headers[\"Connection\"] = \"close\""),
        ByWrk(lab, "1 MiB upload, 8 keep-alive connections", "upload", 8, "wrk.method = \"POST\" wrk.body = string.rep(\"x\", 1048576)"),
        new($"tiny answer, {SteadyRate.PerSecond} requests/s on {SteadyRate.Connections} keep-alive connections", (contender, duration) => SteadyRate.RunAsync(contender.Address, duration)),
        new($"{Echoes.Connections} WebSockets, each sending 16 bytes when the last ones have come back", Echoes.RunAsync),
        new($"tiny answer by HTTP/2, {H2load.Streams} streams on each of {H2load.Connections} connections", (contender, duration) => H2load.RunAsync(contender.Http2Address!, duration))
        {
            Fits = static contender => contender.Http2Address is not null,
        },
    ];

    private static ForwardingLoad ByWrk(LabHost lab, string title, string path, int connections, string script)
    {
        var file = Path.Combine(lab.NewDirectory("wrk"), "requests.lua");
        File.WriteAllLines(file, [script]);
        return new ForwardingLoad(title, async (contender, duration) =>
        {
            var wrk = await Wrk.RunAsync(new Uri(contender.Address, path), connections, file, duration);
            return new LoadResult(wrk.Requests, wrk.PerSecond, wrk.Failed, P99Ms: null);
        });
    }
}

/// <summary>What came of a load.</summary>
/// <param name="Requests">Answered requests.</param>
/// <param name="PerSecond">Of them, in a second.</param>
/// <param name="Failed">Requests that failed.</param>
/// <param name="P99Ms">Latency, in milliseconds; absent: it says nothing, for the load is as fast as answers are.</param>
internal sealed record LoadResult(long Requests, double PerSecond, long Failed, double? P99Ms)
{
    /// <summary>CPU time that the contender took for them; absent: as much as it took from the load's beginning to its end.</summary>
    public TimeSpan? Cpu { get; init; }
}
