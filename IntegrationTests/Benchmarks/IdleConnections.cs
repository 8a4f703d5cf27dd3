using System.Globalization;
using System.Text.RegularExpressions;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What connections cost on which nothing happens.</summary>
internal static partial class IdleConnections
{
    private const int Wanted = 10_000;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <summary>As many as wanted, or as the limit of descriptors lets a proxy serve, which may need two for each.</summary>
    public static int Count { get; } = Math.Min(Wanted, (OpenFilesLimit() - 1000) / 2);

    /// <summary>Measures contenders that have all other loads behind them, so that each has the memory that it needs under load already.</summary>
    public static async Task<string> RunBehindAllAsync(IEnumerable<Contender> contenders)
    {
        var table = NewTable("behind all other loads");
        foreach (var contender in contenders)
            await MeasureAsync(contender, table);
        return table.With("Measured after 20 s without a byte.");
    }

    /// <summary>Measures contenders that have just been started, each alone, and have answered small requests on 64 connections for 10 s.</summary>
    public static async Task<string> RunAnewAsync(IEnumerable<Func<Task<Contender>>> contenders, ForwardingLoad small)
    {
        var table = NewTable("behind small answers alone");
        foreach (var start in contenders)
        {
            await using var contender = await start();
            await small.RunAsync(contender, WarmUp);
            await Eventually.PassAsync(Calm);
            await MeasureAsync(contender, table);
        }

        return table.With("Measured after 20 s without a byte.");
    }

    private static MarkdownTable NewTable(string behind) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Forwarding: {Count} idle connections {behind}, resident memory in MiB"), "Proxy", "Before", "Connected", "After a request on each");

    private static async Task MeasureAsync(Contender contender, MarkdownTable table)
    {
        var before = Memory(contender);
        var connected = await CrowdAsync(contender, asks: false);
        table.Row(contender.Name, before, connected, await CrowdAsync(contender, asks: true));
    }

    private static async Task<string> CrowdAsync(Contender contender, bool asks)
    {
        var clients = new List<RawClient>();
        for (var i = 0; i < Count; i++)
        {
            clients.Add(await RawClient.ConnectAsync(contender.Address));
            if (asks)
                await clients[i].ExpectAsync("GET /tiny HTTP/1.1\r\nHost: bench\r\n\r\n", "HTTP/1.1 200 ");
        }

        await Eventually.PassAsync(Calm);
        var memory = Memory(contender);
        clients.ForEach(client => client.Dispose());
        return memory;
    }

    private static string Memory(Contender contender) => Figures.Text(contender.Use.ResidentBytes / 1048576.0, "0");

    // Max open files            20000                20000                files
    private static int OpenFilesLimit() =>
        int.TryParse(SoftLimit().Match(File.ReadAllText("/proc/self/limits")).Groups[1].Value, CultureInfo.InvariantCulture, out var limit) ? limit : int.MaxValue;

    [GeneratedRegex(@"Max open files\s+(\d+)", RegexOptions.None, 1000)]
    private static partial Regex SoftLimit();
}
