using System.Globalization;
using System.Net;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>A way in which slowhttptest attacks a server: by connections that are slow, while it looks every second whether others are still served.</summary>
/// <param name="Name">What is slow.</param>
/// <param name="BytesOfEach">Memory that each of the connections may take.</param>
/// <param name="Options">How slowhttptest is told so.</param>
internal sealed record SlowAttack(string Name, int BytesOfEach, params string[] Options)
{
    private const string Program = "/usr/bin/slowhttptest";
    private const int Little = 16 << 10;

    // Room for what comes of a body.
    private const int Room = 32 << 10;

    // What is just being sent to a client: a piece of 64 KiB, besides what any slow connection may take.
    private const int Piece = (64 << 10) + Little;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static IReadOnlyList<SlowAttack> All { get; } =
    [
        new("heads that don't end (-H)", Little, "-H", "-i", "5", "-x", "24"),
        new("bodies that don't come (-B)", Room, "-B", "-i", "5", "-x", "10", "-s", "100000"),
        new("a thousand ranges (-R)", Little, "-R", "-t", "GET", "-a", "5", "-b", "3000"),
        new("answers that aren't taken (-X)", Piece, "-X", "-w", "10", "-y", "20", "-n", "2", "-z", "32", "-k", "3"),
    ];

    public static void SkipUnlessInstalled() =>
        Assert.SkipUnless(File.Exists(Program) || Environment.GetEnvironmentVariable("WUNDERPROXY_LAB_DIR") is not null, $"There is no {Program}; IntegrationTests/Lab/lab.sh install brings it.");

    /// <summary>Attacks for a time.</summary>
    /// <param name="address">Whom.</param>
    /// <param name="connections">By so many connections.</param>
    /// <param name="perSecond">Of which so many are made a second.</param>
    /// <param name="length">For so long, or until none of them is left.</param>
    public async Task<SlowAttackRecord> RunAsync(IPEndPoint address, int connections, int perSecond, TimeSpan length)
    {
        var folder = Directory.CreateTempSubdirectory("wp-slow-");
        try
        {
            var report = Path.Combine(folder.FullName, "report");
            string[] load = ["-c", Text(connections), "-r", Text(perSecond), "-l", Text((int)length.TotalSeconds), "-p", "3", "-g", "-o", report, "-u", $"http://{address}/large"];
            await using var attack = RunningProcess.Start(Program, [.. Options, .. load]);
            await attack.WaitForExitAsync(length + Patience);
            return SlowAttackRecord.Read(report + ".csv");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What slowhttptest has seen.</summary>
/// <param name="Seconds">For how long.</param>
/// <param name="Unserved">In how many of these seconds others weren't served.</param>
/// <param name="MostConnected">Slow connections at once.</param>
internal sealed record SlowAttackRecord(int Seconds, int Unserved, int MostConnected)
{
    // Seconds,Closed,Pending,Connected,Service Available
    // 3,0,0,500,500
    public static SlowAttackRecord Read(string file)
    {
        var rows = File.ReadLines(file).Skip(1).Select(line => line.Split(',').Select(int.Parse).ToArray()).ToList();
        return new SlowAttackRecord(rows.Count, rows.Count(row => row[4] == 0), rows.Max(row => row[3]));
    }
}
