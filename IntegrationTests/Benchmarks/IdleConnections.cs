using System.Globalization;
using System.Text.RegularExpressions;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What connections cost on which nothing happens.</summary>
internal static partial class IdleConnections
{
    private const int Wanted = 10_000;
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);

    /// <summary>As many as wanted, or as the limit of descriptors lets a proxy serve, which may need two for each.</summary>
    public static int Count { get; } = Math.Min(Wanted, (OpenFilesLimit() - 1000) / 2);

    public static async Task<string> RunAsync(IEnumerable<Contender> contenders)
    {
        var table = new MarkdownTable(
            string.Create(CultureInfo.InvariantCulture, $"Forwarding: {Count} idle connections, resident memory in MiB"), "Proxy", "Before", "Connected", "After a request on each");
        foreach (var contender in contenders)
        {
            var before = Memory(contender);
            var connected = await CrowdAsync(contender, asks: false);
            table.Row(contender.Name, before, connected, await CrowdAsync(contender, asks: true));
        }

        return table.With("Measured after 20 s without a byte, and behind all other loads, so that each has the memory that it needs under load already.");
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
