using System.Globalization;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>slowhttptest in all of its modes against the real executable, while others ask.</summary>
public sealed class SlowHttpTests : IDisposable
{
    private const int Crowd = 10_000;

    // Those who are to be served, what the Proxy keeps back of its descriptors, and temporary files.
    private const int Others = 400;
    private const int LargeAnswer = 256 << 10;

    // Of the Proxy with one connection, and of all that is kept of bodies.
    private const long Base = 192L << 20;
    private const long Buffers = 64L << 20;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Arrival = TimeSpan.FromSeconds(8);
    private static readonly string Small = AnswerOf(2);
    private static readonly string Large = AnswerOf(LargeAnswer);

    private readonly ProxyFolder _folder = new();
    private readonly RawBackend _backend = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Others_are_served_while_clients_are_slow_in_all_ways_at_once()
    {
        SlowAttack.SkipUnlessInstalled();
        await using var proxy = await StartAsync();
        var length = TimeSpan.FromSeconds(6);

        var attacks = Task.WhenAll(SlowAttack.All.Select(attack => attack.RunAsync(proxy.Address, connections: 250, perSecond: 250, length)));
        await new SteadyVisitors(proxy.Address).AskAsync(length);

        Assert.All(await attacks, record => Assert.Equal((0, true), (record.Unserved, record.MostConnected > 0)));
        Assert.InRange(proxy.PeakMemory, 1, Base + Buffers + SlowAttack.All.Sum(attack => 250L * attack.BytesOfEach));
    }

    [Fact]
    [Trait("Suite", "Edge")]
    public async Task Ten_thousand_slow_connections_or_as_many_as_there_are_descriptors_for_keep_nobody_else_waiting_and_memory_stays_within_its_cap()
    {
        SlowAttack.SkipUnlessInstalled();
        var report = new StringBuilder("""
            Others ask 400 times a second at fixed times over 8 connections, on the machine on which slowhttptest, the application and the Proxy run. p99 of their answers in ms, and behind it that of those who ask the application itself at
            the same time, in the same way, which is what the machine is able to; the peak of the Proxy's memory. The cap is 256 MiB,
            of which 64 MiB may be bodies, and for each slow connection 16 KiB, 32 KiB where it sends a body, or 80 KiB where it has a piece of 64 KiB to take.
            There are 10,000 slow connections, or as many as the limit of descriptors of the machine allows.

            | What is slow | Connections at once | p99 before | while they come | while they are there | after | Seconds unserved | Memory MiB of the cap |
            | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |

            """.ReplaceLineEndings("\n"));
        var excesses = new List<string>();
        foreach (var attack in SlowAttack.All)
            report.Append(await AttackAsync(attack, excesses));
        EdgeReport.Write("10,000 slow connections, by slowhttptest", report.ToString());
        Assert.Empty(excesses);
    }

    private async Task<string> AttackAsync(SlowAttack attack, List<string> excesses)
    {
        await using var proxy = await StartAsync();
        await AskAsync(proxy, Calm);
        var before = await AskAsync(proxy, Calm);

        var attacking = attack.RunAsync(proxy.Address, Math.Min(Crowd, (proxy.DescriptorLimit / 2) - Others), perSecond: Crowd / 5, Arrival + Calm);
        var meanwhile = await AskAsync(proxy, Arrival);
        var there = await AskAsync(proxy, Calm);
        var record = await attacking;
        var after = await AskAsync(proxy, Calm);

        var cap = Base + Buffers + ((long)record.MostConnected * attack.BytesOfEach);
        if (record.Unserved > 0 || proxy.PeakMemory > cap)
            excesses.Add($"{attack.Name}: {record.Unserved} s unserved, {proxy.PeakMemory >> 20} MiB of {cap >> 20} MiB");
        return string.Create(CultureInfo.InvariantCulture, $"| {attack.Name} | {record.MostConnected} | {before} | {meanwhile} | {there} | {after} | {record.Unserved} | {proxy.PeakMemory >> 20} of {cap >> 20} |\n");
    }

    // p99 of those who ask the Proxy, and of those who ask the application.
    private async Task<string> AskAsync(StartedProxy proxy, TimeSpan length)
    {
        var times = await Task.WhenAll(new SteadyVisitors(proxy.Address).AskAsync(length), new SteadyVisitors(_backend.Address).AskAsync(length));
        return string.Create(CultureInfo.InvariantCulture, $"{times[0].TotalMilliseconds:0.00} ({times[1].TotalMilliseconds:0.00})");
    }

    private async Task<StartedProxy> StartAsync()
    {
        var proxy = await _folder.StartAsync(("WUNDERPROXY_BUFFER_MEMORY", "64MiB"), ("WUNDERPROXY_BUFFER_DISK", "4GiB"));
        _backend.ExpectsProbe = true;
        _backend.AnswerAll(request => request.StartsWith("GET / ", StringComparison.Ordinal) ? Small : Large);
        await _folder.PutAsync(_backend.Address, snapshot => snapshot.Buffering = new Buffering());

        // Who asks the application itself looks as a probe does.
        _backend.ExpectsProbe = false;
        return proxy;
    }

    private static string AnswerOf(int length) => string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{new string('x', length)}");
}
